import { join } from "node:path";
import { build } from "esbuild";
import type { Page } from "playwright-core";

/** What runs in the page: it knows a browser, and no Node. */
const { outputFiles } = await build({
  entryPoints: [join(import.meta.dirname, "in-page/measures.ts")],
  bundle: true,
  format: "iife",
  globalName: "measured",
  write: false,
});

const measured = (page: Page, measure: string) =>
  page.evaluate<string[]>(`(() => { ${outputFiles[0]?.text ?? ""}; return measured.${measure}() })()`);

/** The texts in sight that are too pale to be read, e.g. `P.quiet "28 Nov" 3.1`. */
export const tooPale = (page: Page) => measured(page, "tooPale");

/** What reaches over the right edge of the window, e.g. `TD.why 412`. */
export const tooWide = (page: Page) => measured(page, "tooWide");

/** The nodes of the rows, from the top. */
export const nodesOf = (page: Page) => page.locator("button.node").allTextContents();
