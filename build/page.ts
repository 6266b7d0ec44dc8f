import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type BuildOptions, build as esbuild } from "esbuild";

const FOLDER = join(import.meta.dirname, "../src/serve/page");

/** Browsers that support what the page uses and no bundler can add: `light-dark()`, `content-visibility`. */
const BROWSERS = ["chrome123", "firefox125", "safari18"];

/**
 * The constants that src/serve/page/page.ts declares: one HTML text with its style and script, and the policy that
 * allows these two.
 */
export async function page(): Promise<Readonly<Record<"PAGE_HTML" | "PAGE_POLICY", string>>> {
  const [template, style, script] = await Promise.all([
    readFile(join(FOLDER, "page.html"), "utf8"),
    textOf({ entryPoints: [join(FOLDER, "page.css")] }),
    textOf({ entryPoints: [join(FOLDER, "script/main.ts")], format: "iife" }),
  ]);
  const html = within(within(template, "style", style), "script", script);
  return { PAGE_HTML: JSON.stringify(html), PAGE_POLICY: JSON.stringify(policy(style, script)) };
}

async function textOf(options: BuildOptions & { write?: false }): Promise<string> {
  const { outputFiles } = await esbuild({
    ...options,
    bundle: true,
    write: false,
    minify: true,
    platform: "browser",
    target: BROWSERS,
    legalComments: "none",
  });
  return outputFiles[0]?.text.trim() ?? "";
}

/** Puts a text into its empty element. A hash covers every character between the tags. */
function within(html: string, tag: string, text: string): string {
  const [before, after, ...others] = html.split(`<${tag}></${tag}>`);
  if (before === undefined || after === undefined || others.length > 0)
    throw new Error(`src/serve/page/page.html: expected <${tag}></${tag}> once`);
  return `${before}<${tag}>${text}</${tag}>${after}`;
}

function policy(style: string, script: string): string {
  const hash = (text: string) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
  return [
    "default-src 'none'",
    `script-src ${hash(script)}`,
    `style-src ${hash(style)}`,
    "connect-src 'self'",
    // Its icon, which the page draws itself.
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    // Names of workers, queues and tasks come from outside. The browser refuses to read any text as HTML.
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join("; ");
}
