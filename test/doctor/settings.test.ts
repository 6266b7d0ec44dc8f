import { expect, test } from "vitest";
import { containerTimeouts } from "../../src/doctor/container-timeouts.ts";
import { settings } from "../../src/doctor/topics/settings.ts";
import { fakeScene, only } from "./fake-scene.ts";

/** What the doctor says of the limits of a worker with this pool. */
async function limitsOf(pool: string, soft: number, hard: number, args: readonly string[] = []) {
  const implementation = `celery.concurrency.${pool}:TaskPool`;
  // prefork alone tells its limits; the others have them of the settings.
  const told =
    pool === "prefork"
      ? { stats: { pool: { implementation, timeouts: [soft, hard] } } }
      : {
          stats: { pool: { implementation } },
          conf: { task_soft_time_limit: soft, task_time_limit: hard },
        };
  return only(await settings(fakeScene({ told, args }).scene), "time-limits");
}

test.each([
  ["soft above hard", 181, 180, "problem"],
  ["soft equals hard", 180, 180, "problem"],
  ["a second between them", 179, 180, "warning"],
  ["a second less than the gap between them", 151, 180, "warning"],
  ["the gap between them", 150, 180, "ok"],
  ["only soft", 180, 0, "ok"],
  ["only hard", 0, 180, "ok"],
  ["none", 0, 0, "ok"],
])("%s: soft %i s, hard %i s is %s", async (_, soft, hard, level) => {
  expect((await limitsOf("prefork", soft, hard)).level).toBe(level);
});

test.each([
  ["9s", "ok"],
  ["10s", "ok"],
  ["11s", "warning"],
])("a gap of 10 s with --limit-gap %s is %s", async (gap, level) => {
  expect((await limitsOf("prefork", 170, 180, ["--limit-gap", gap])).level).toBe(level);
});

test.each([
  ["prefork", 60, 120, []],
  ["gevent", 60, 0, ["soft"]],
  ["gevent", 0, 120, []],
  ["gevent", 60, 120, ["soft"]],
  ["eventlet", 60, 120, ["soft", "hard"]],
  ["thread", 0, 120, ["hard"]],
  ["solo", 60, 0, ["soft"]],
  ["constructor", 60, 0, ["soft"]],
  ["solo", 0, 0, []],
])("%s with soft %i s, hard %i s does not enforce %j", async (pool, soft, hard, unenforced) => {
  const { level, facts } = await limitsOf(pool, soft, hard);
  expect(facts.unenforced).toEqual(unenforced);
  expect(level).toBe(unenforced.length > 0 ? "warning" : "ok");
});

/** `HTTP_TIMEOUT` is found over the limit, near it, or neither. */
function placeOf(value: string, soft: number, hard: number): string {
  const limits = {
    soft,
    hard,
    from: "its pool",
    gapS: 30,
    isTold: true,
    pool: "prefork",
    unenforced: [],
    without: [],
  } as const;
  const found = containerTimeouts(new Map([["HTTP_TIMEOUT", value]]), limits);
  if (found === null) return "not looked";
  if (found.looked === 0) return "none";
  return found.over.length > 0 ? "over" : found.near.length > 0 ? "near" : "fine";
}

test.each([
  ["181", 180, 200, "over"],
  ["180", 180, 200, "over"],
  ["179.9", 180, 200, "near"],
  ["151", 180, 200, "near"],
  ["150", 180, 200, "fine"],
  // Where there is no soft limit, the hard one counts.
  ["200", 0, 200, "over"],
  ["199", 0, 200, "near"],
  ["170", 0, 200, "fine"],
  ["180", 0, 0, "not looked"],
  ["0", 180, 200, "none"],
  // So many are milliseconds.
  ["9999", 180, 200, "over"],
  ["10000", 180, 200, "none"],
])("HTTP_TIMEOUT=%s with soft %i s, hard %i s is %s", (value, soft, hard, expected) => {
  expect(placeOf(value, soft, hard)).toBe(expected);
});

test.each([
  ["its own name", { implementation: "celery.concurrency.thread:TaskPool" }, {}, "ok", "threads"],
  ["keys that only prefork has, before Celery 5.3", { writes: { total: 3 } }, {}, "ok", "prefork"],
  ["its settings", { "max-concurrency": 4 }, { worker_pool: "gevent" }, "ok", "gevent"],
  ["nothing", {}, {}, "skipped", null],
])("a pool is known by %s", async (_, pool, conf, level, name) => {
  const { scene } = fakeScene({ told: { stats: { pool }, conf } });
  expect(only(await settings(scene), "pool")).toMatchObject({ level, facts: { pool: name } });
});
