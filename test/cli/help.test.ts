import { expect, test } from "vitest";
import { helpText } from "../../src/cli/help.ts";

test("the help shows every option and its default, in lines of 120 columns at most", () => {
  const text = helpText("0.1.0", "check");
  expect(text).toMatchSnapshot();
  expect(Math.max(...text.split("\n").map(({ length }) => length))).toBeLessThanOrEqual(120);
});
