import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { optionsPage } from "../scripts/options-page.ts";
import { BROKER_VARIABLES, OPTION_NAMES, variableOf } from "../src/cli/options.ts";

const ROOT = join(import.meta.dirname, "..");
const read = (file: string) => readFileSync(join(ROOT, file), "utf8");
const PAGES = [
  ...readdirSync(ROOT).filter((file) => file.endsWith(".md")),
  ...readdirSync(join(ROOT, "docs")).map((file) => `docs/${file}`),
  "examples/compose/README.md",
];

test("docs/options.md is what the table of options makes", () => {
  expect(read("docs/options.md")).toBe(optionsPage());
});

test.each(PAGES)("%s links to files that are there", (page) => {
  const targets = [...read(page).matchAll(/\]\(([^)#]+?)(?:#[^)]*)?\)/g)].map(([, target]) => target ?? "");
  const missing = targets.filter((target) => !existsSync(join(ROOT, dirname(page), target)));
  expect(missing.filter((target) => !target.startsWith("https://"))).toEqual([]);
});

test.each(PAGES)("%s names only options and variables that exist", (page) => {
  const known = new Set([...OPTION_NAMES.map((name) => `--${name}`), "--help", "--version"]);
  const lines = read(page)
    .split("\n")
    .filter((line) => line.includes("celery-probe "));
  const flags = lines.flatMap((line) => [
    ...(/celery-probe( .*)/.exec(line)?.[1] ?? "").matchAll(/ (--[a-z-]+)/g),
  ]);
  expect(flags.map(([, flag]) => flag).filter((flag) => !known.has(flag ?? ""))).toEqual([]);
  const variables = [...read(page).matchAll(/CELERY_PROBE_[A-Z_]*[A-Z]/g)].map(([name]) => name);
  expect(variables.filter((name) => !OPTION_NAMES.some((option) => variableOf(option) === name))).toEqual([]);
});

test("README.md names every variable that the broker is taken from, in order", () => {
  expect(read("README.md")).toContain(BROKER_VARIABLES.map((name) => `\`${name}\``).join(", "));
});

test("no page names what is not there", () => {
  expect(PAGES).toContain("README.md");
  for (const page of PAGES) expect(read(page)).not.toMatch(/\b(TODO|FIXME|TBD)\b/);
});
