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
    ["without an ETA, delivered a minute ago", due("1", null, 940), [], []],
    ["without an ETA, delivered before", due("1", null, 939), ["1"], []],
    ["of a zone that it does not say", { ...due("1", null), isTimed: true }, [], []],
    ["due within the timeout", due("1", 4_000, 900), [], []],
    ["due beyond the timeout", due("1", 4_600, 900), [], ["1"]],
    ["due soon, delivered long ago", due("1", 1_100, -3_000), [], ["1"]],
  ])("%s", (_, one, late, beyond) => {
    const judged = judgeUnacked([one], ({ id }) => id === "running", 0, 3_600, 1_000);
    expect(judged.late.map(({ task }) => task.id)).toEqual(late);
    expect(judged.beyond.map(({ task }) => task.id)).toEqual(beyond);
  });

  test.each([
    [0, ["1", "2", "3", "4"]],
    [1, ["1", "2", "4"]],
    [3, ["4"]],
    [Infinity, ["4"]],
  ])("full workers may have %d of them in hand, and none whose ETA has come", (room, late) => {
    const messages = [due("1", null, 10), due("2", null, 20), due("3", null, 30), due("4", 40)];
    const judged = judgeUnacked(messages, () => false, room, 3_600, 1_000);
    expect(judged.late.map(({ task }) => task.id)).toEqual(late);
  });
});
