import { expect, test } from "vitest";
import { findSetting, settingsLike, sortSettings } from "../../src/celery/every-setting.ts";

const DJANGO = {
  DEBUG: false,
  REDIS_HOST: "cache",
  DATABASE_URL: "postgres://h/shop",
  TIME_ZONE: "UTC",
  CELERYD_PREFETCH_MULTIPLIER: 1,
  CELERY_BROKER_URL: "redis://h/0",
  CELERY_TASK_TIME_LIMIT: 900,
  CELERY_REDBEAT_LOCK_KEY: "lock",
};

const names = (conf: unknown) => {
  const sorted = sortSettings(conf);
  return [sorted?.celerys, sorted?.applications].map((some) => some?.map(([name]) => name));
};

test.each([
  [
    "a Django project",
    DJANGO,
    ["CELERYD_PREFETCH_MULTIPLIER", "CELERY_BROKER_URL", "CELERY_REDBEAT_LOCK_KEY", "CELERY_TASK_TIME_LIMIT"],
    ["DATABASE_URL", "DEBUG", "REDIS_HOST", "TIME_ZONE"],
  ],
  [
    "another namespace",
    { SHOP_BROKER_URL: "x", SHOP_WORKER_PREFETCH_MULTIPLIER: 1, SHOPPING: 2 },
    ["SHOP_BROKER_URL", "SHOP_WORKER_PREFETCH_MULTIPLIER"],
    ["SHOPPING"],
  ],
  [
    "names of today",
    {
      worker_prefetch_multiplier: 1,
      redbeat_lock_key: "k",
      enable_utc: true,
      deprecated_settings: null,
      app: 1,
    },
    ["enable_utc", "redbeat_lock_key", "worker_prefetch_multiplier"],
    ["app", "deprecated_settings"],
  ],
  [
    "names of Celery 3",
    { BROKER_POOL_LIMIT: 1, CELERY_SEND_EVENTS: true, ENABLE_UTC: true, TASK_TIME_LIMIT: 3 },
    ["BROKER_POOL_LIMIT", "CELERY_SEND_EVENTS", "ENABLE_UTC"],
    ["TASK_TIME_LIMIT"],
  ],
])("%s: Celery's settings are separated from the application's own", (_, conf, celerys, applications) => {
  expect(names(conf)).toEqual([celerys, applications]);
});

test.each([[null], ["conf"], [{ error: "KeyError('x')" }]])("%j has no settings", (conf) => {
  expect(sortSettings(conf)).toBeNull();
  expect(findSetting(conf, "error")).toBeNull();
});

/** As a worker answers with defaults: Celery's own name has the value that counts. */
const WITH_DEFAULTS = {
  ...DJANGO,
  task_time_limit: 900,
  timezone: null,
  worker_prefetch_multiplier: 1,
  MY_TIMEZONE: "mine",
};

test.each([
  ["task_time_limit", ["CELERY_TASK_TIME_LIMIT", 900]],
  ["CELERYD_TASK_TIME_LIMIT", ["CELERY_TASK_TIME_LIMIT", 900]],
  ["CELERY_TASK_TIME_LIMIT", ["CELERY_TASK_TIME_LIMIT", 900]],
  ["worker_prefetch_multiplier", ["CELERYD_PREFETCH_MULTIPLIER", 1]],
  ["CELERY_WORKER_PREFETCH_MULTIPLIER", ["CELERYD_PREFETCH_MULTIPLIER", 1]],
  ["timezone", ["timezone", null]],
  ["CELERY_TIMEZONE", ["timezone", null]],
  ["MY_TIMEZONE", ["MY_TIMEZONE", "mine"]],
  ["DEBUG", ["DEBUG", false]],
  ["redbeat_lock_key", ["CELERY_REDBEAT_LOCK_KEY", "lock"]],
  ["task_tme_limit", null],
  ["toString", null],
])("%s is found", (name, setting) => {
  expect(findSetting(WITH_DEFAULTS, name)).toEqual(setting);
});

test("the value under Celery's own name counts", () => {
  const conf = { broker_url: "redis://new/0", CELERY_BROKER_URL: "redis://old/0", task_time_limit: 5 };
  expect(findSetting(conf, "BROKER_URL")).toEqual(["CELERY_BROKER_URL", "redis://new/0"]);
});

test.each([
  ["task_tme_limit", ["task_time_limit"]],
  ["task-time-limit", ["task_time_limit"]],
  ["Task_Time_Limit", ["task_time_limit"]],
  ["DEBUGG", ["DEBUG"]],
  ["prefetch_multiplier", ["worker_prefetch_multiplier"]],
  ["time_limit", ["task_time_limit", "task_soft_time_limit"]],
  ["nothing_like_it", []],
  ["x".repeat(100_000), []],
])("similar names are suggested for %s", (name, like) => {
  expect(settingsLike(name, [DJANGO])).toEqual(like);
});
