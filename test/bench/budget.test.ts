import type { Metafile } from "esbuild";
import { expect, test } from "vitest";
import { type Budget, overBudget } from "../../bench/budget.ts";

const BUDGET: Budget = { instructions: 60, files: ["src/app.ts", "src/main.ts"], builtins: ["net"] };

const importing = (file: string, path: string): Metafile => ({
  inputs: { [file]: { bytes: 1, imports: [{ path, kind: "import-statement" }] } },
  outputs: {},
});

test("overBudget is content with what was recorded, with less, and with a twentieth more instructions", () => {
  const nothing = { inputs: {}, outputs: {} };
  expect(overBudget(BUDGET, BUDGET, nothing)).toEqual([]);
  expect(overBudget(BUDGET, { ...BUDGET, instructions: 63 }, nothing)).toEqual([]);
  expect(overBudget(BUDGET, { instructions: 1, files: [], builtins: [] }, nothing)).toEqual([]);
});

test("overBudget gives both numbers when there are more instructions", () => {
  expect(overBudget(BUDGET, { ...BUDGET, instructions: 64 }, { inputs: {}, outputs: {} })).toEqual([
    "a healthy check takes 64 million instructions beyond an empty executable's: expected 63 at most, as 60 are recorded",
  ]);
});

test.each([
  ["a file of ours", "src/cli/help.ts", "src/cli/help.ts", "imported by src/app.ts"],
  ["a module of Node's", "crypto", "node:crypto", "imported by src/app.ts"],
  [
    "one that Node needs itself",
    "internal/streams/pipeline",
    "node:crypto",
    "imported by a module of Node's",
  ],
])("overBudget names %s and its importers when it is new", (_, name, imported, importers) => {
  const measured = { ...BUDGET, files: [...BUDGET.files, name] };
  expect(overBudget(BUDGET, measured, importing("src/app.ts", imported))).toEqual([
    `${name} is loaded by a healthy check, and was not; ${importers}`,
  ]);
});
