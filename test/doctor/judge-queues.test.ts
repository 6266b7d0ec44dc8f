import { LEVELS } from "../../src/doctor/levels.ts";
import { describe, expect, test } from "vitest";
import { isTaskExchange, isTaskQueue } from "../../src/celery/queues.ts";
import { isLeftAlone, limitOf } from "../../src/doctor/judge-queues.ts";
import { similarTo } from "../../src/slips.ts";
import { paceOf } from "../../src/session/heartbeats.ts";
import { growthOf } from "../../src/session/queue-lengths.ts";
import type { Heartbeat } from "../../src/celery/heartbeat.ts";

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

test("exchanges and queues of remote control and events are no tasks'", () => {
  const exchanges = ["celery", "mails", "celery.pidbox", "reply.celery.pidbox", "celeryev", "app.celeryev"];
  expect(exchanges.filter(isTaskExchange)).toEqual(["celery", "mails"]);
  const queues = ["celery", "w1@host.celery.pidbox", "8c.reply.celery.pidbox", "celeryev.8c0b", "bcast.77"];
  expect(queues.filter(isTaskQueue)).toEqual(["celery"]);
});

test.each([
  ["mails", ["celery", "mials"], "mials"],
  ["mails", ["mail"], "mail"],
  ["high-priority", ["high_priority"], "high_priority"],
  ["Reports", ["reports"], "reports"],
  ["a", ["b"], null],
  ["low", ["slow"], null],
  ["q1", ["q2"], null],
  ["emails", ["reports"], null],
  ["mails", ["mails"], null],
  ["mails", [], null],
])("%s, of %j, may mean %s", (name, others, similar) => {
  expect(similarTo(name, others)).toBe(similar);
});

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
});

describe("the pace", () => {
  const beat = (processed: number | null, active = 0): Heartbeat => ({
    node: "w@a",
    pid: 1,
    active,
    processed,
    version: "5.7.0",
    channel: "",
  });
  const span = (first: Heartbeat, last: Heartbeat, ms = 4_000) => ({ first, firstMs: 0, last, lastMs: ms });

  test("counts what is begun, and what of it does not run any more", () => {
    const spans = new Map([
      ["w@a", span(beat(100, 0), beat(140, 4))],
      ["w@b", span(beat(0, 2), beat(8, 2))],
    ]);
    expect(paceOf(spans)).toEqual({ begun: 12, finished: 11, overS: 4 });
  });

  test.each([
    ["nobody", new Map()],
    ["one heartbeat", new Map([["w@a", span(beat(1), beat(1), 0)]])],
    ["no counts", new Map([["w@a", span(beat(null), beat(3))]])],
  ])("is not known of %s", (_, spans) => {
    expect(paceOf(spans)).toBeNull();
  });
});

test.each([
  [{ growth: 1, length: 9, busy: { active: 4, slots: 4 } }, "warning"],
  [{ growth: 0, length: 9, busy: { active: 4, slots: 4 } }, "ok"],
  [{ growth: 1, length: 4, busy: { active: 4, slots: 4 } }, "ok"],
  [{ growth: 1, length: 9, busy: { active: 3, slots: 4 } }, "ok"],
  [{ growth: 1, length: 9, busy: null }, "skipped"],
  [{ growth: 0, length: 9, busy: null }, "ok"],
])("throughput of %j is %s", (measured, level) => {
  expect(LEVELS.throughput({ kind: "measured", arrived: 1, finished: 1, overS: 4, ...measured })).toBe(level);
});
