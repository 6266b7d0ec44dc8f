import { describe, expect, test } from "vitest";
import { readSettings, type SettingName } from "../../src/celery/settings.ts";
import { DEFAULT_TRANSPORT, transportOptions } from "../../src/celery/transport-options.ts";

const found = (conf: unknown, name: SettingName) => readSettings(conf)?.find(name) ?? null;

describe("a setting is found", () => {
  test.each<[string, Readonly<Record<string, unknown>>, string]>([
    ["by its name of today", { task_time_limit: 9 }, "task_time_limit"],
    ["by its name of Celery 3", { CELERYD_TASK_TIME_LIMIT: 9 }, "CELERYD_TASK_TIME_LIMIT"],
    ["in the usual namespace", { CELERY_TASK_TIME_LIMIT: 9, DEBUG: true }, "CELERY_TASK_TIME_LIMIT"],
    ["in another namespace", { SHOP_TASK_TIME_LIMIT: 9, SHOP_BROKER_URL: "x" }, "SHOP_TASK_TIME_LIMIT"],
    ["in a namespace with a dash", { MY_SHOP_TASK_TIME_LIMIT: 9 }, "MY_SHOP_TASK_TIME_LIMIT"],
    [
      "at run time before the namespace",
      { task_time_limit: 9, CELERY_TASK_TIME_LIMIT: 5 },
      "task_time_limit",
    ],
    [
      "in the more frequent namespace",
      { SHOP_TASK_TIME_LIMIT: 9, SHOP_WORKER_POOL: "solo", CELERY_TASK_TIME_LIMIT: 5 },
      "SHOP_TASK_TIME_LIMIT",
    ],
    [
      "in the usual one of two namespaces",
      { ABC_TASK_TIME_LIMIT: 5, CELERY_TASK_TIME_LIMIT: 9 },
      "CELERY_TASK_TIME_LIMIT",
    ],
    [
      "in a namespace beside names of Celery 3",
      { CELERY_TASK_TIME_LIMIT: 9, CELERYD_POOL: "x", CELERYD_CONCURRENCY: 2 },
      "CELERY_TASK_TIME_LIMIT",
    ],
  ])("%s", (_, conf, name) => {
    expect(found(conf, "task_time_limit")).toEqual({ value: 9, by: "conf", name });
  });
});

test("a setting that is null is not set", () => {
  expect(found({ task_time_limit: null, CELERYD_TASK_TIME_LIMIT: 9 }, "task_time_limit")?.value).toBe(9);
  expect(found({ task_time_limit: null }, "task_time_limit")).toBeNull();
});

test.each([[null], [undefined], ["conf"], [[]], [{ error: "ValueError('x')" }]])(
  "%j tells no settings",
  (conf) => {
    expect(readSettings(conf)).toBeNull();
  },
);

test("an answer without settings means that all have their defaults", () => {
  expect(readSettings({})?.find("task_time_limit")).toBeNull();
});

describe("transport options", () => {
  const read = (conf: unknown) => {
    return transportOptions(conf);
  };

  test.each([
    ["that are not set are kombu's", {}, {}],
    ["of a namespace count", { CELERY_BROKER_TRANSPORT_OPTIONS: { sep: ":" } }, { separator: ":" }],
    ["of Celery 3 count", { BROKER_TRANSPORT_OPTIONS: { sep: ":" } }, { separator: ":" }],
    ["have steps", { broker_transport_options: { priority_steps: [0, 5] } }, { prioritySteps: [0, 5] }],
    ["have steps that are numbers", { broker_transport_options: { priority_steps: ["a"] } }, {}],
    [
      "have a time",
      { broker_transport_options: { visibility_timeout: 60 } },
      { visibilityS: 60, isDefault: false },
    ],
    ["have a key", { broker_transport_options: { unacked_key: "mine" } }, { unackedKey: "mine" }],
    ["have a masked key", { broker_transport_options: { unacked_key: "********" } }, { unackedKey: null }],
    [
      "have a masked index",
      { broker_transport_options: { unacked_index_key: "********" } },
      { unackedIndexKey: null },
    ],
    ["that are not an object are kombu's", { broker_transport_options: "x" }, {}],
  ])("%s", (_, conf, expected) => {
    expect(read(conf)).toEqual({ ...DEFAULT_TRANSPORT, ...expected });
  });
});
