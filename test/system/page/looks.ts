import { join } from "node:path";
import { build } from "esbuild";
import type { Page } from "playwright-core";

/** This code runs in the page. It knows a browser, but not Node. */
const { outputFiles } = await build({
  entryPoints: [join(import.meta.dirname, "in-page/measures.ts")],
  bundle: true,
  format: "iife",
  globalName: "measured",
  write: false,
});

const measured = (page: Page, measure: string) =>
  page.evaluate<string[]>(`(() => { ${outputFiles[0]?.text ?? ""}; return measured.${measure}() })()`);

/** The visible texts that are too pale to read, e.g. `P.quiet "28 Nov" 3.1`. */
export const tooPale = (page: Page) => measured(page, "tooPale");

/** Elements that reach over the right edge of the window, e.g. `TD.why 412`. */
export const tooWide = (page: Page) => measured(page, "tooWide");

/** The nodes of the rows, from the top. */
export const nodesOf = (page: Page) => page.locator("button.node").allTextContents();
