import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { beatSettings } from "../../src/celery/beat.ts";
import { readPool } from "../../src/celery/pool.ts";
import { readSettings } from "../../src/celery/settings.ts";
import { readTasks } from "../../src/celery/tasks.ts";
import { timeLimits } from "../../src/celery/time-limits.ts";
import { transportOptions } from "../../src/celery/transport-options.ts";

const FOLDER = resolve(import.meta.dirname, "../fixtures/answers");

interface Recorded {
  readonly celery: string;
  readonly conf: unknown;
  readonly stats: unknown;
  readonly active: unknown;
}

function recorded(name: string): Recorded {
  return JSON.parse(readFileSync(join(FOLDER, `celery-${name}.json`), "utf8")) as Recorded;
}

/** Pool, its size, soft and hard limit with who tells the latter, tasks in hand. */
const ROWS: Readonly<Record<string, readonly [string, number, number, number, string | null, number]>> = {
  "5.2.7-prefork": ["prefork", 1, 50, 60, "pool", 1],
  "5.2.7-solo": ["solo", 1, 0, 0, null, 0],
  "5.2.7-threads": ["threads", 1, 0, 0, null, 1],
  "5.2.7-gevent": ["gevent", 1, 50, 60, "conf", 1],
  "5.3.6-threads": ["threads", 1, 0, 0, null, 1],
  "5.7.0-prefork": ["prefork", 1, 50, 60, "conf", 1],
  "5.2.7-django": ["prefork", 1, 840, 900, "pool", 0],
  "5.7.0-django": ["prefork", 1, 840, 900, "conf", 0],
};

test.each(Object.entries(ROWS))("the answers of a worker with %s are read", (name, expected) => {
  const { celery, conf, stats, active } = recorded(name);
  const pool = readPool(stats);
  const settings = readSettings(conf);
  const known = { program: "worker", options: new Map<string, string>(), environment: {} } as const;
  const { soft, hard } = timeLimits({ ...known, settings, pool, version: celery });
  const tasks = readTasks(active)?.length;
  expect([pool?.name, pool?.size, soft.seconds, hard.seconds, hard.by, tasks]).toEqual(expected);
});

test("every recorded worker has its row", () => {
  const names = readdirSync(FOLDER).map((file) => file.replace(/^celery-|\.json$/g, ""));
  expect(names.sort()).toEqual(Object.keys(ROWS).sort());
});

test.each(["5.2.7-django", "5.7.0-django"])("the namespace of Django's settings is found: %s", (name) => {
  const { conf } = recorded(name);
  expect(readSettings(conf)?.find("task_time_limit")).toEqual({
    value: 900,
    by: "conf",
    name: "CELERY_TASK_TIME_LIMIT",
  });
  // A name of Celery 3 counts beside those of a namespace.
  expect(readSettings(conf)?.get("worker_pool")).toBe("prefork");
  expect(transportOptions(conf)).toEqual({
    visibilityS: 7_200,
    isDefault: false,
    unackedKey: null,
    unackedIndexKey: "unacked_index",
    separator: ":",
    prioritySteps: [0, 5, 12],
  });
  expect(beatSettings([conf])).toMatchObject({
    scheduler: "redbeat.RedBeatScheduler",
    entries: 1,
    lock: { kind: "hidden" },
  });
});

test.each(["5.2.7-prefork", "5.7.0-prefork"])(
  "the name of a key is masked in conf, but not in stats: %s",
  (name) => {
    const { conf, stats } = recorded(name);
    expect(transportOptions(conf)).toMatchObject({ unackedKey: null, visibilityS: 120 });
    expect(transportOptions(conf, stats)).toMatchObject({ unackedKey: "mine", visibilityS: 120 });
  },
);
