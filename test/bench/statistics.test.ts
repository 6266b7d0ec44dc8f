import { expect, test } from "vitest";
import { median, medianRatio, shuffled } from "../../bench/statistics.ts";

test.each([
  { values: [3], middle: 3 },
  { values: [10, 9, 100], middle: 10 },
  { values: [4, 1, 2, 100], middle: 3 },
])("the median of $values is $middle", ({ values, middle }) => {
  expect(median(values)).toBe(middle);
});

test("no values have no median", () => {
  expect(() => median([])).toThrow("no values");
});

test("a ratio is the median of the pairs', so that a slow round does not count", () => {
  expect(medianRatio([2, 400, 6], [1, 100, 3])).toBe(2);
  expect(() => medianRatio([1, 2], [1])).toThrow("no pairs");
});

test("shuffling keeps every element and leaves the list alone", () => {
  const elements = [1, 2, 3, 4, 5];
  expect(shuffled(elements).sort()).toEqual([1, 2, 3, 4, 5]);
  expect(elements).toEqual([1, 2, 3, 4, 5]);
});
