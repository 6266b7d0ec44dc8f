import { expect, test } from "vitest";
import { path } from "../../../src/serve/page/script/path.ts";
import { age, amount, bytes, milliseconds, rate } from "../../../src/serve/page/script/words.ts";

test.each([
  [age(-3), "0 s"],
  [age(59.9), "59 s"],
  [age(60), "1 min"],
  [age(3_599), "59 min"],
  [age(11_100), "3 h 5 min"],
  [age(187_200), "2 d 4 h"],
  [amount(0), "0"],
  [amount(0.333), "0.33"],
  [amount(3.456), "3.5"],
  [amount(12.6), "13"],
  [amount(133_100), "133,100"],
  [rate(0), "0/s"],
  [rate(0.02), "1.2/min"],
  [rate(3.5), "3.5/s"],
  [milliseconds(0.4), "0.4 ms"],
  [milliseconds(1_500), "1.5 s"],
  [bytes(83_000_000), "83 MB"],
  [bytes(2_100_000_000), "2.1 GB"],
])("%s is written as %s", (written, expected) => {
  expect(written).toBe(expected);
});

test("a line goes from edge to edge, its largest value just below the top", () => {
  expect(path([0, 5, 10])).toBe("M0.0 23.0L50.0 12.5L100.0 2.0");
});

test("a line of zeros lies on the ground, and one value is no line", () => {
  expect(path([0, 0])).toBe("M0.0 23.0L100.0 23.0");
  expect(path([4])).toBe("");
});
