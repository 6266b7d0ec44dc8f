import { describe, expect, test } from "vitest";
import { excusedBy, judgeUnacked, nameOf, roomOf, waitingAmong } from "../../src/celery/late-deliveries.ts";

const KNOWN = {
  ...{ isExcused: () => false, before: new Set<string>(), room: 0 },
  ...{ visibilityS: 3_600, nowS: 1_000 },
};

describe("unacknowledged messages", () => {
  const due = (id: string, etaS: number | null, deliveredS = 0) => ({
    task: { name: "a", id },
    etaS,
    isTimed: etaS !== null,
    deliveredS,
    ...{ isRedelivered: false, retries: 0, routingKey: "celery", subtask: null },
  });

  test.each([
    ["due a minute ago", due("1", 940), [], []],
    ["due longer ago", due("1", 939), ["1"], []],
    ["running", due("running", 100), [], []],
    ["without an ETA, delivered a minute ago", due("1", null, 940), [], []],
    ["without an ETA, delivered before", due("1", null, 939), ["1"], []],
    ["without a time zone", { ...due("1", null), isTimed: true }, [], []],
    ["due within the timeout", due("1", 4_000, 900), [], []],
    ["due after the timeout", due("1", 4_600, 900), [], ["1"]],
    ["due soon, delivered long ago", due("1", 1_100, -3_000), [], ["1"]],
  ])("%s", (_, one, late, beyond) => {
    const judged = judgeUnacked([one], { ...KNOWN, isExcused: ({ id }) => id === "running" });
    expect(judged.late.map(({ task }) => task.id)).toEqual(late);
    expect(judged.beyond.map(({ task }) => task.id)).toEqual(beyond);
  });

  test("a delivery that already waited is late at once, but another delivery of the task is not", () => {
    const before = new Set([nameOf(due("1", null, 990))]);
    const messages = [due("1", null, 990), due("1", null, 995), due("2", null, 990)];
    expect(judgeUnacked(messages, { ...KNOWN, before }).late).toEqual(messages.slice(0, 1));
  });

  test.each([
    [0, ["1", "2", "3", "4"]],
    [1, ["1", "2", "4"]],
    [3, ["4"]],
    [Infinity, ["4"]],
  ])("full workers may keep %d of them, but none whose ETA has come", (room, late) => {
    const messages = [due("1", null, 10), due("2", null, 20), due("3", null, 30), due("4", 40)];
    const judged = judgeUnacked(messages, { ...KNOWN, room });
    expect(judged.late.map(({ task }) => task.id)).toEqual(late);
  });
});

test.each([
  ["a full worker tells how many", { size: 1, most: 4 }, 1, undefined, 4],
  ["a full worker does not tell how many", { size: 1, most: 0 }, 1, undefined, Infinity],
  ["the pool is not known", { size: 0, most: 4 }, 0, undefined, 4],
  ["a worker with a free slot keeps only what it has begun since", { size: 2, most: 4 }, 1, [1, 12], 2],
  ["a worker was full a moment ago", { size: 2, most: 4 }, 1, [2, 12], 4],
  ["a worker with a free slot is not heard", { size: 2, most: 4 }, 1, undefined, 0],
])("messages that workers may keep: %s", (_, { size, most }, running, beat, expected) => {
  const inHand = new Map([["w@a", Array.from({ length: running }, () => ({ name: "a", id: "1", ageS: 1 }))]]);
  const pool = { "max-concurrency": size };
  const stats = new Map([["w@a", { pool, prefetch_count: most, total: { a: 10 } }]]);
  const [active = null, processed = null] = beat ?? [];
  const heartbeat = { node: "w@a", pid: 1, active, processed, version: null, channel: "" };
  expect(roomOf(inHand, stats, new Map(beat === undefined ? [] : [["w@a", heartbeat]]))).toBe(expected);
});

test("a delivery waits unless it has an ETA, its task runs, or its rate limit may hold it back", () => {
  const one = (id: string, name: string, isTimed = false) => ({
    ...{
      task: { id, name },
      etaS: null,
      isTimed,
      deliveredS: 0,
      isRedelivered: false,
      retries: 0,
      routingKey: "celery",
      subtask: null,
    },
  });
  const messages = [one("1", "a"), one("2", "a"), one("3", "slow"), one("4", "a", true)];
  const inHand = new Map([["w@a", [{ name: "a", id: "2", ageS: 1 }]]]);
  const ids = (rated: ReadonlyMap<string, number> | null) =>
    waitingAmong(messages, excusedBy(inHand, rated)).map(({ task }) => task.id);
  expect(ids(new Map([["slow", 60]]))).toEqual(["1"]);
  expect(ids(null)).toEqual(["1", "3"]);
});
