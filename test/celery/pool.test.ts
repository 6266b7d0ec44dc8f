import { expect, test } from "vitest";
import { poolRunning, readPool, recyclingOf } from "../../src/celery/pool.ts";
import { readSettings, type Sources } from "../../src/celery/settings.ts";

test.each<[string, object, object]>([
  ["its module", { implementation: "celery.concurrency.gevent:TaskPool" }, { name: "gevent" }],
  ["the module of threads", { implementation: "celery.concurrency.thread:TaskPool" }, { name: "threads" }],
  ["a class of the application", { implementation: "app.pools:Mine" }, { name: "app.pools:Mine" }],
  ["keys of prefork", { processes: [1], timeouts: [0, 9], writes: {} }, { name: "prefork" }],
  ["threads", { "max-concurrency": 4, threads: 2 }, { name: "threads", size: 4 }],
  ["its only process", { processes: [1], timeouts: [], "max-concurrency": 1 }, { name: "solo", size: 1 }],
  ["free threads", { "max-concurrency": 4, "free-threads": 4 }, { name: "eventlet" }],
  ["its size as the only key", { "max-concurrency": 4 }, { name: "gevent", size: 4 }],
  ["nothing", {}, { name: null, size: null, maxTasksPerChild: 0 }],
  ["limits", { timeouts: [0, 240] }, { timeouts: { soft: 0, hard: 240 } }],
  ["a number of tasks", { "max-tasks-per-child": 50 }, { maxTasksPerChild: 50 }],
  ["no number of tasks", { "max-tasks-per-child": "N/A" }, { maxTasksPerChild: 0 }],
])("an answer with %s is read", (_, pool, expected) => {
  expect(readPool({ pool })).toMatchObject(expected);
});

test.each([
  [{ max: 6, min: 1, current: 1 }, 6],
  [{ max: 2, min: 1, current: 1 }, 4],
  [null, 4],
])("a pool of four with the autoscaler %j runs up to %i tasks at once", (autoscaler, size) => {
  expect(readPool({ pool: { "max-concurrency": 4 }, autoscaler })).toMatchObject({ size });
});

test("a pool without time limits shows none", () => {
  expect(readPool({ pool: { timeouts: [] } })).not.toHaveProperty("timeouts");
});

test.each([[undefined], [{}], [{ error: "no" }], [{ pool: "x" }]])("%j does not describe a pool", (stats) => {
  expect(readPool(stats)).toBeNull();
});

const sources = (more: Partial<Sources>): Sources => ({
  program: "worker",
  options: new Map(),
  environment: {},
  settings: null,
  ...more,
});

test.each<[string, object | null, Partial<Sources>, string | null]>([
  ["itself", { threads: 4 }, { options: new Map([["pool", "solo"]]) }, "threads"],
  ["its command line", null, { options: new Map([["pool", "processes"]]) }, "prefork"],
  ["a variable", null, { environment: { CELERY_WORKER_POOL: "solo" } }, "solo"],
  ["its settings", null, { settings: readSettings({ CELERYD_POOL: "solo" }) }, "solo"],
  ["nothing", {}, {}, null],
])("the running pool is found by %s", (_, pool, more, expected) => {
  expect(poolRunning(pool === null ? null : readPool({ pool }), sources(more))).toBe(expected);
});

test.each<[string, object, Partial<Sources>, number | null, number | null]>([
  [
    "its pool, before its command line",
    { "max-tasks-per-child": 5 },
    { options: new Map([["max-tasks-per-child", "9"]]) },
    5,
    null,
  ],
  [
    "its command line",
    {},
    {
      options: new Map([
        ["max-tasks-per-child", "9"],
        ["max-memory-per-child", "200"],
      ]),
    },
    9,
    200,
  ],
  ["its settings", {}, { settings: readSettings({ worker_max_memory_per_child: 300 }) }, null, 300],
  ["nothing", {}, {}, null, null],
])("the replacement of children is found by %s", (_, pool, more, maxTasks, maxKilobytes) => {
  expect(recyclingOf(readPool({ pool }), sources(more))).toEqual({ maxTasks, maxKilobytes });
});
