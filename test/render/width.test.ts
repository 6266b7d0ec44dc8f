import { expect, test } from "vitest";
import { cutTo, padded, width } from "../../src/render/width.ts";

test.each([
  ["celery", 6],
  ["重要", 4],
  // An accent of its own, and a family of one picture.
  ["e\u0301", 1],
  ["👨‍👩‍👧", 2],
])("%s is %i columns wide", (text, columns) => {
  expect(width(text)).toBe(columns);
  expect(width(padded(text, 10))).toBe(10);
});

test.each([
  ["celery", 6, "celery"],
  ["celery", 5, "cele…"],
  ["重要なキュー", 5, "重要…"],
  ["重要なキュー", 6, "重要…"],
  ["x", 0, ""],
])("%s is cut to %i columns as %s", (text, columns, expected) => {
  expect(cutTo(text, columns)).toBe(expected);
});

test("an endless text of accents is cut at once when few columns are left", () => {
  const before = process.threadCpuUsage();
  expect(cutTo("e\u0301\u200b".repeat(20_000), 10)).toMatch(/…$/);
  expect(process.threadCpuUsage(before).user).toBeLessThan(500_000);
});
