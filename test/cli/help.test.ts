import { expect, test } from "vitest";
import { helpText, methodLines } from "../../src/cli/help.ts";
import { METHODS } from "../../src/inspect/methods.ts";

test("the help shows every option and its default, in lines of 120 columns at most", () => {
  const text = helpText("0.1.0", "check");
  expect(text).toMatchSnapshot();
  expect(Math.max(...text.split("\n").map(({ length }) => length))).toBeLessThanOrEqual(120);
});

test("the help of inspect lists every method in lines of 80 columns", () => {
  const lines = helpText("0.1.0", "inspect").split("\n");
  expect(lines).toEqual(expect.arrayContaining([...methodLines()]));
  for (const method of METHODS)
    expect(lines.filter((line) => line.startsWith(`  ${method} `))).toEqual([
      expect.stringContaining(" show "),
    ]);
  expect(Math.max(...methodLines().map(({ length }) => length))).toBeLessThanOrEqual(80);
});
