import { describe, expect, test } from "vitest";
import { readPool } from "../../src/celery/pool.ts";
import { readSettings } from "../../src/celery/settings.ts";
import { enforces, type Limited, timeLimits, withoutEffect } from "../../src/celery/time-limits.ts";

/** What is known of a worker, briefly. */
interface Known {
  readonly option?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Its hard limit in the settings that it tells; null: it tells none. */
  readonly conf?: unknown;
  /** The hard limit that its pool tells. */
  readonly pool?: number;
  readonly version?: string;
}

function worker({ option, env, conf, pool, version }: Known): Limited {
  return {
    program: "worker",
    options: new Map(option === undefined ? [] : [["time-limit", option]]),
    environment: env ?? {},
    settings: conf === undefined ? null : readSettings(conf === null ? {} : { task_time_limit: conf }),
    pool: pool === undefined ? null : readPool({ pool: { timeouts: [0, pool] } }),
    version: version ?? null,
  };
}

const BY_CLICK = { CELERY_WORKER_TIME_LIMIT: "100" };
const BY_IMAGE = { CELERY_TASK_TIME_LIMIT: "900" };
const OLD = "5.6.3";
const NEW = "5.7.0";

/** Each row that has a version was measured: the number is the one that ended a task (test/e2e/doctor/limits.test.ts). */
describe("the limit that ends a task is", () => {
  test.each<[string, Known, number, string | null]>([
    ["none", {}, 0, null],
    ["the command line's", { option: "30" }, 30, "option"],
    ["click's variable's", { env: BY_CLICK }, 100, "variable"],
    ["the command line's before click's variable", { option: "30", env: BY_CLICK }, 30, "option"],
    ["an application's variable's", { env: BY_IMAGE }, 900, "variable"],
    ["the longer one until the worker answers", { env: { ...BY_CLICK, ...BY_IMAGE } }, 900, "variable"],
    [
      "the longer one until the worker answers, here the command line's",
      { option: "1000", env: BY_IMAGE },
      1_000,
      "option",
    ],
    ["the setting's", { conf: 900, version: NEW }, 900, "conf"],
    ["the setting's before the command line's", { option: "100", conf: 900, version: NEW }, 900, "conf"],
    [
      "the setting's, shorter than the command line's",
      { option: "900", conf: 100, version: NEW },
      100,
      "conf",
    ],
    ["the setting's before the pool's answer", { conf: 900, pool: 100, version: NEW }, 900, "conf"],
    [
      "the command line's before the setting's, in Celery 5.6",
      { option: "100", conf: 900, version: OLD },
      100,
      "option",
    ],
    ["the pool's answer, in Celery 5.6", { conf: 900, pool: 100, version: OLD }, 100, "pool"],
    ["the pool's answer if no setting is known", { conf: null, pool: 100, version: NEW }, 100, "pool"],
    ["none if the pool answers none", { env: BY_IMAGE, conf: null, pool: 0, version: NEW }, 0, "pool"],
    [
      "the pool's answer, whatever an image's variable says",
      { env: BY_IMAGE, pool: 100, version: NEW },
      100,
      "pool",
    ],
    ["none if the settings have none", { env: BY_IMAGE, conf: null }, 0, null],
    ["none if the command line says 0, in Celery 5.6", { option: "0", conf: 900, version: OLD }, 0, "option"],
    ["the setting's if the command line says 0", { option: "0", conf: 900, version: NEW }, 900, "conf"],
    ["none if the setting is a word", { option: "x" }, 0, null],
  ])("%s", (_, known, seconds, by) => {
    expect(timeLimits(worker(known)).hard).toEqual({ seconds, by });
  });
});

test("soft and hard limits are found independently", () => {
  const known = {
    ...worker({ pool: 100, version: NEW }),
    settings: readSettings({ CELERY_TASK_SOFT_TIME_LIMIT: 50, CELERY_BROKER_URL: "x" }),
  };
  expect(timeLimits(known)).toEqual({
    soft: { seconds: 50, by: "conf" },
    hard: { seconds: 100, by: "pool" },
  });
});

test("an option has no effect if the setting comes before it", () => {
  const without = (known: Known) => withoutEffect(worker(known), timeLimits(worker(known)));
  const both = { option: "100", conf: 900, pool: 100 };
  expect(without({ ...both, version: NEW })).toEqual(["--time-limit"]);
  expect(without({ ...both, version: OLD })).toEqual([]);
});

test.each([
  [BY_IMAGE, ["CELERY_TASK_TIME_LIMIT"]],
  [{ CELERY_TASK_HARD_TIME_LIMIT: "900" }, ["CELERY_TASK_HARD_TIME_LIMIT"]],
  [{ CELERY_TASK_TIME_LIMIT: "100" }, []],
  [{}, []],
])("with a limit of 100 s, variables %j without effect are %j", (env, unread) => {
  const known = worker({ env, conf: null, pool: 100 });
  expect(withoutEffect(known, timeLimits(known))).toEqual(unread);
});

test.each([
  ["prefork", true, true],
  [null, true, true],
  ["gevent", false, true],
  ["eventlet", false, false],
  ["threads", false, false],
  ["solo", false, false],
  ["constructor", false, false],
])("%s enforces soft limits: %s, hard ones: %s", (pool, soft, hard) => {
  expect([enforces(pool, "soft"), enforces(pool, "hard")]).toEqual([soft, hard]);
});

/** A number that is kept as text (pidbox/python-json.ts). */
const LONG = (JSON as unknown as { rawJSON: (text: string) => unknown }).rawJSON("12345678901234567890");

test.each([{ toString: 1 }, LONG, [[]], true, "x"])(
  "a setting that is not a number, %j, is no limit",
  (conf) => {
    expect(timeLimits(worker({ conf })).hard).toEqual({ seconds: 0, by: null });
  },
);
