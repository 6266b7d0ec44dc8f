import { expect, test } from "vitest";
import { endOf } from "../../src/celery/log-end.ts";

test.each([
  ["", "", true],
  ["a", "a", true],
  ["a\nb\n", "a\nb\n", true],
  ["a\n\n \r\n\n  b\n", "a\n  b\n", true],
  ["\n".repeat(4_000_000), "\n", true],
  ["x\n".repeat(200_001), "x\n".repeat(200_000), false],
])("the end of a log is its last 200,000 lines that are not blank (%#)", (text, end, isWhole) => {
  const found = endOf(text);
  expect(found.isWhole).toBe(isWhole);
  expect(found.text === end).toBe(true);
});
