import { describe, expect, test } from "vitest";
import { growthOf } from "../../src/session/queue-lengths.ts";

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
