import { describe, expect, test } from "vitest";
import { growthOf, isLeftAlone, lengthIn } from "../../src/session/queue-lengths.ts";

describe("the trend", () => {
  const look = (atMs: number, a: number | null, b: number | null = 0) => ({
    atMs,
    lengths: new Map([
      ["a", a],
      ["b", b],
    ]),
    noLists: new Set<string>(),
  });

  test.each([
    [look(0, 10), look(2_000, 14), 2],
    [look(0, 10, 6), look(2_000, 6, 0), -5],
    [look(0, 10), look(100, 20), null],
    [look(0, null), look(2_000, 4), null],
  ])("of two looks", (first, second, growth) => {
    expect(growthOf(["a", "b"], first, second)).toBe(growth);
  });
});

const lookAt = (lengths: readonly (number | null | undefined)[]) => ({
  atMs: 0,
  lengths: new Map(lengths.flatMap((length, at) => (length === undefined ? [] : [[String(at), length]]))),
  noLists: new Set<string>(),
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
  expect(isLeftAlone("0", lookAt([before]), lookAt([after]))).toBe(expected);
});

test("queues of unknown length add nothing to the sum", () => {
  expect(lengthIn(lookAt([3, null, undefined, 4, 5]), ["0", "1", "2", "3"])).toBe(7);
});
