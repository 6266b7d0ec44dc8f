import { LEVELS } from "../../src/doctor/levels.ts";
import { expect, test } from "vitest";
import { isLeftAlone, limitOf } from "../../src/doctor/judge-queues.ts";

test.each([
  ["a", [], 1_000],
  ["a", [{ queue: null, limit: 5 }], 5],
  [
    "a",
    [
      { queue: "a", limit: 3 },
      { queue: null, limit: 5 },
    ],
    3,
  ],
  ["b", [{ queue: "a", limit: 3 }], 1_000],
  [
    "a",
    [
      { queue: "a", limit: 3 },
      { queue: "a", limit: 4 },
    ],
    4,
  ],
  ["a", [{ queue: "a", limit: 0 }], 0],
])("the limit of %s by %j is %i", (queue, limits, limit) => {
  expect(limitOf(queue, limits)).toBe(limit);
});

test.each([
  [5, 5, true],
  [5, 9, true],
  [5, 4, false],
  [0, 9, false],
  [null, 9, false],
  [undefined, 9, false],
  [5, null, false],
])("a queue of %s, then %s, is left alone: %s", (before, after, expected) => {
  expect(isLeftAlone(before, after)).toBe(expected);
});

test.each([
  [{ growth: 1, length: 9, busy: { active: 4, slots: 4 } }, "warning"],
  [{ growth: 0, length: 9, busy: { active: 4, slots: 4 } }, "ok"],
  [{ growth: 1, length: 4, busy: { active: 4, slots: 4 } }, "ok"],
  // Between two tasks a slot is free for a moment.
  [{ growth: 1, length: 9, busy: { active: 3, slots: 4 } }, "warning"],
  [{ growth: 1, length: 9, busy: { active: 3, slots: 4 }, finished: 0 }, "ok"],
  // They came at one time, to slots that were free.
  [{ growth: 1, length: 9, busy: { active: 3, slots: 4 }, lengthBefore: 4 }, "ok"],
  [{ growth: 1, length: 9, busy: null }, "skipped"],
  [{ growth: 0, length: 9, busy: null }, "ok"],
])("throughput of %j is %s", (measured, level) => {
  const usual = { arrived: 1, finished: 1, overS: 4, lengthBefore: 5 };
  expect(LEVELS.throughput({ kind: "measured", ...usual, ...measured })).toBe(level);
});
