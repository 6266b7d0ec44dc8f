import { describe, expect, test } from "vitest";
import { judgeUnacked } from "../../src/doctor/judge-tasks.ts";

describe("what is not acknowledged", () => {
  const due = (id: string, etaS: number | null, deliveredS = 0) => ({
    task: { name: "a", id },
    etaS,
    isTimed: etaS !== null,
    deliveredS,
  });

  test.each([
    ["due a minute ago", due("1", 940), [], []],
    ["due longer ago", due("1", 939), ["1"], []],
    ["running", due("running", 100), [], []],
    ["without an ETA", due("1", null), [], []],
    ["due within the timeout", due("1", 4_000, 900), [], []],
    ["due beyond the timeout", due("1", 4_600, 900), [], ["1"]],
    ["due soon, delivered long ago", due("1", 1_100, -3_000), [], ["1"]],
  ])("%s", (_, one, late, beyond) => {
    const judged = judgeUnacked([one], new Set(["running"]), 3_600, 1_000);
    expect(judged.late.map(({ task }) => task.id)).toEqual(late);
    expect(judged.beyond.map(({ task }) => task.id)).toEqual(beyond);
  });
});
