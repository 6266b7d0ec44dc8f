import { describe, expect, test } from "vitest";
import type { NodeEvidence } from "../../src/health/evidence.ts";
import { judge } from "../../src/health/judge.ts";
import type { WorkRules } from "../../src/health/judgement.ts";
import type { Held, NodeWork, Tasks, WorkEvidence } from "../../src/health/work-evidence.ts";
import {
  ASKED,
  beating,
  evidence,
  known,
  looks,
  NODE,
  node,
  PONG,
  processLook,
  row,
  rows,
  RULES,
  SEEN,
  SILENCE,
} from "./seen.ts";

const pongs = { asking: { ...ASKED, pongs: [PONG] } };

/** A worker that answered, waits on a connection that nothing comes through, and has work waiting. */
const halfOpen: Partial<NodeEvidence> = {
  looks: looks(known(rows({ idleS: 61 }, 1))),
  heartbeats: beating({ active: 0 }),
};

/** So many deliveries are not acknowledged, and so many of them may wait for their time or their rate. */
function held(deliveries: number, mayBeHeld = 0, begun: number | null = null): Held {
  return { kind: "told", deliveries, mayBeHeld, begun };
}

function work(
  changed: Partial<NodeWork> = {},
  lengths: readonly (readonly [string, number | null])[] = [["celery", 5]],
) {
  const one = {
    node: NODE,
    queues: ["celery"],
    consumed: ["celery"],
    tasks: { kind: "not-asked" },
    held: held(0),
    ...changed,
  } as const;
  return { lengths: new Map(lengths), nodes: [one], ownerless: [] } satisfies WorkEvidence;
}

function reason(
  seen: Partial<NodeEvidence>,
  rest: Parameters<typeof evidence>[1],
  rules: Partial<WorkRules>,
) {
  const judged = judge(evidence(seen, { ...pongs, ...rest }), {
    ...RULES,
    work: { ...RULES.work, ...rules },
  });
  return "reason" in judged ? judged.reason : judged.status;
}

describe("with --require-consuming a worker that answered", () => {
  const consuming = { requireConsuming: true };
  const full = { ...halfOpen, heartbeats: beating({ active: 2 }) };
  test.each<[string, Partial<NodeEvidence>, Parameters<typeof evidence>[1], string]>([
    ["is alive when it consumes and nothing waits", halfOpen, { work: work({}, [["celery", 0]]) }, "alive"],
    [
      "does not consume when it says so",
      {},
      { work: work({ consumed: [] }, [["celery", 0]]) },
      "not-consuming",
    ],
    [
      "does not consume when it consumes another queue",
      {},
      { work: work({ consumed: ["other"] }) },
      "not-consuming",
    ],
    [
      "does not consume when one of its queues is missing",
      {},
      { work: work({ queues: ["celery", "b"] }) },
      "not-consuming",
    ],
    ["is alive when it did not say what it consumes", {}, { work: work({ consumed: null }) }, "alive"],
    ["does not consume when it waits on a dead connection", halfOpen, { work: work() }, "not-consuming"],
    [
      "is alive when its BRPOP waits",
      { ...halfOpen, looks: looks(known(rows({ flags: "b", idleS: 0 }, 1))) },
      { work: work() },
      "alive",
    ],
    [
      "is alive when a ghost is listed beside a BRPOP that waits",
      {
        ...halfOpen,
        looks: looks(known([...rows({ idleS: 300 }, 1), row({ command: "brpop", flags: "b", idleS: 0 })])),
      },
      { work: work() },
      "alive",
    ],
    [
      "is alive while it may be healing",
      { ...halfOpen, looks: looks(known(rows({ idleS: 59 }, 1))) },
      { work: work() },
      "alive",
    ],
    [
      "is alive when its process is younger than the pause: the server's clock was set",
      { ...halfOpen, looks: looks(known(rows({ idleS: 600 }, 1)), processLook({ ageMs: 20_000 })) },
      { work: work() },
      "alive",
    ],
    [
      "is alive while it may be healing, and the dead connection is listed as well",
      {
        ...halfOpen,
        looks: looks(known([...rows({ idleS: 300 }, 1), row({ command: "brpop", idleS: 59 })])),
      },
      { work: work() },
      "alive",
    ],
    ["is alive when all its slots are taken", full, { work: work() }, "alive"],
    [
      "is alive when its prefetch window may be full of waiting tasks",
      halfOpen,
      { work: work({ held: held(2, 2) }) },
      "alive",
    ],
    [
      "does not consume when fewer tasks wait for their time or their rate than it prefetches",
      halfOpen,
      { work: work({ held: held(1, 1) }) },
      "not-consuming",
    ],
    [
      "does not consume when it begins none of the tasks that it has",
      halfOpen,
      { work: work({ held: held(8, 1) }) },
      "not-consuming",
    ],
    [
      "is alive when it has a running task, or has begun one meanwhile",
      { ...halfOpen, heartbeats: beating({ active: 0, isIdle: false }) },
      { work: work({ held: held(8) }) },
      "alive",
    ],
    [
      "does not consume when it sends no heartbeats and has never begun a task",
      { ...halfOpen, heartbeats: SILENCE },
      { work: work({ held: held(8, 0, 0) }) },
      "not-consuming",
    ],
    [
      "is alive when it sends no heartbeats and has begun tasks, which may run",
      { ...halfOpen, heartbeats: SILENCE },
      { work: work({ held: held(8, 0, 3) }) },
      "alive",
    ],
    [
      "is alive when it sends no heartbeats and does not say what it has begun",
      { ...halfOpen, heartbeats: SILENCE },
      { work: work({ held: held(8) }) },
      "alive",
    ],
    [
      "is alive when nobody knows what is delivered",
      halfOpen,
      { work: work({ held: { kind: "unknown" } }) },
      "alive",
    ],
    ["is alive when nobody has asked what is delivered", halfOpen, { work: work({ held: null }) }, "alive"],
    [
      "is alive when nobody knows what it is running",
      { ...halfOpen, heartbeats: beating({ active: null }) },
      { work: work() },
      "alive",
    ],
    [
      "is alive when its connections are not known",
      { ...halfOpen, looks: looks(null) },
      { work: work() },
      "alive",
    ],
    [
      "is alive when its process is out of sight",
      { process: { kind: "out-of-sight", because: "remote" } },
      { work: work() },
      "alive",
    ],
    [
      "is alive when the length of the queue is not known",
      halfOpen,
      { work: work({}, [["celery", null]]) },
      "alive",
    ],
    [
      "does not consume with a slot free of two",
      { ...halfOpen, heartbeats: beating({ active: 1 }) },
      { work: work() },
      "not-consuming",
    ],
    [
      "is taken to have one slot when nothing shows how many",
      { ...halfOpen, process: { ...SEEN, slots: null }, heartbeats: beating({ active: 1 }) },
      { work: work() },
      "alive",
    ],
    [
      "is stopped when it is",
      { ...halfOpen, looks: looks(null, processLook({ state: "stopped" })) },
      { work: work() },
      "stopped",
    ],
  ])("%s", (_, seen, rest, expected) => {
    expect(reason(seen, rest, consuming)).toBe(expected);
    expect(reason(seen, rest, {})).toBe(expected === "stopped" ? "stopped" : "alive");
  });
});

test("the youngest of several idle BRPOPs tells since when nothing came", () => {
  const seen = {
    ...halfOpen,
    looks: looks(known([...rows({ idleS: 300 }, 1), row({ command: "brpop", idleS: 70 })])),
  };
  const rules = { ...RULES, work: { ...RULES.work, requireConsuming: true } };
  expect(judge(evidence(seen, { ...pongs, work: work() }), rules)).toMatchObject({
    reason: "not-consuming",
    how: "half-open",
    pausedS: 70,
  });
});

describe("with --max-task-age", () => {
  const told = (ageS: number): Tasks => ({
    kind: "told",
    count: 1,
    oldest: { name: "t.nap", id: "1", ageS },
  });
  test.each<[string, Tasks, string]>([
    ["a task that is older is stuck", told(61), "stuck-task"],
    ["a task that is as old is not", told(60), "alive"],
    ["no task is not", { kind: "told", count: 0, oldest: null }, "alive"],
    ["a worker that was not asked is alive", { kind: "risky", version: "5.0.5" }, "alive"],
    ["a worker that did not say is alive", { kind: "no-answer" }, "alive"],
  ])("%s", (_, tasks, expected) => {
    expect(reason({}, { work: work({ tasks }) }, { maxTaskAge: 60_000 })).toBe(expected);
  });
});

test("a worker that was asked to end is stopping, whatever waits", () => {
  const ending: Partial<NodeEvidence> = {
    process: { ...SEEN, pool: "gevent" },
    looks: looks(known(rows({ idleS: 61 }, 1).filter(({ subscriptions }) => subscriptions === 0))),
    heartbeats: beating({ active: 1, isIdle: false }),
  };
  expect(reason(ending, { asking: ASKED, work: work() }, { requireConsuming: true })).toBe("stopping");
});

test("a worker within its start grace has not failed to begin a task", () => {
  const seen = evidence(halfOpen, { ...pongs, work: work({ held: held(8) }) });
  const rules = { ...RULES, work: { ...RULES.work, requireConsuming: true } };
  expect(judge(seen, { ...rules, startGraceMs: 4_000_000 })).toMatchObject({ reason: "alive" });
  expect(judge(seen, rules)).toMatchObject({ reason: "not-consuming", how: "no-work", unacked: 8 });
});

test("a task is no older than the process that runs it when the worker's clock was set", () => {
  const tasks: Tasks = { kind: "told", count: 1, oldest: { name: "t.nap", id: "1", ageS: 3_600 } };
  const young = { looks: looks(null, processLook({ ageMs: 20_000 })) };
  expect(reason(young, { work: work({ tasks }) }, { maxTaskAge: 60_000 })).toBe("alive");
});

describe("with --max-queue-length", () => {
  const lengths = [
    ["celery", 10],
    ["mail", 20],
    ["lost", null],
  ] as const;
  const limit = (queue: string | null, most: number) => ({ queue, limit: most });
  test.each<[string, WorkRules["maxQueueLength"], string]>([
    ["a longer queue is a backlog", [limit(null, 19)], "backlog"],
    ["a queue as long is none", [limit(null, 20)], "alive"],
    ["a queue of a limit of its own is held to that", [limit("mail", 20), limit(null, 10)], "alive"],
    [
      "a queue of a stricter limit of its own is held to that",
      [limit(null, 100), limit("celery", 9)],
      "backlog",
    ],
    ["a queue of unknown length is none", [limit("lost", 0)], "alive"],
  ])("%s", (_, maxQueueLength, expected) => {
    expect(reason({}, { work: work({}, lengths) }, { maxQueueLength })).toBe(expected);
  });

  test("a busy worker's queues count as well, and an unknown's do not", () => {
    const longer = { maxQueueLength: [limit(null, 1)] };
    const busy = { asking: ASKED, work: work({}, lengths) };
    expect(reason({}, busy, longer)).toBe("backlog");
    expect(reason({ process: { kind: "out-of-sight", because: "remote" } }, busy, longer)).toBe("undecided");
  });

  test("the queues of any nodes count", () => {
    const any = judge(
      evidence(
        {},
        { ...pongs, nodes: [], work: { lengths: new Map([["celery", 7]]), nodes: [], ownerless: [] } },
      ),
      {
        ...RULES,
        asked: { kind: "any", atLeast: 1 },
        work: { ...RULES.work, maxQueueLength: [limit("celery", 6)] },
      },
    );
    expect(any).toMatchObject({ reason: "backlog", queue: "celery", length: 7, limit: 6 });
  });
});

test("not-consuming comes before stuck-task, and stuck-task before backlog", () => {
  const stuck = { kind: "told", count: 1, oldest: { name: "t", id: "1", ageS: 99 } } as const;
  const all = { requireConsuming: true, maxTaskAge: 1_000, maxQueueLength: [{ queue: null, limit: 0 }] };
  const rest = (one: Partial<NodeWork>) => ({ nodes: [node()], work: work(one) });
  expect(reason({}, rest({ consumed: [], tasks: stuck }), all)).toBe("not-consuming");
  expect(reason({}, rest({ tasks: stuck }), all)).toBe("stuck-task");
  expect(reason({}, rest({}), all)).toBe("backlog");
});
