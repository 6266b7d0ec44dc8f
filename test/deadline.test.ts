import { expect, test } from "vitest";
import { startDeadline } from "../src/deadline.ts";

test("a deadline counts from the start of the process and keeps time back when asked what is left", () => {
  let now = 30;
  const deadline = startDeadline(1_000, () => now);
  expect(deadline.left()).toBe(870);
  expect(deadline.atMost(500)).toBe(500);
  now = 600;
  expect(deadline.atMost(500)).toBe(300);
  now = 2_000;
  expect(deadline.left()).toBe(0);
  expect(deadline.atMost(500)).toBe(0);
});
