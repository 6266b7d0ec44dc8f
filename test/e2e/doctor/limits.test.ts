import { expect, test } from "vitest";
import type { CeleryVersion } from "../../world/pairs.ts";
import { startContainer } from "../../world/container.ts";
import { startServer } from "../../world/server.ts";
import type { WorkerOptions } from "../../world/worker-command.ts";
import { diagnoseIn, saying } from "./diagnose.ts";

/** In seconds. */
const SHORT = 2;
const LONG = 4;

const SETTING = { settings: { task_time_limit: LONG } };
const BY_OPTION = { args: [`--time-limit=${SHORT}`] };
const BY_CLICK = { CELERY_WORKER_TIME_LIMIT: String(SHORT) };
const UNREAD = { CELERY_TASK_TIME_LIMIT: String(LONG) };
const NAMESPACE = { TASKS_NAMESPACE: "SHOP" };

/** From Celery 5.7 on, the setting is each task's own limit and has priority over the pool's. */
test.concurrent.each<[CeleryVersion, string, Partial<WorkerOptions>, number, string]>([
  ["5.2.7", "an option and a setting", { ...BY_OPTION, ...SETTING }, SHORT, "its pool"],
  ["5.7.0", "an option and a setting", { ...BY_OPTION, ...SETTING }, LONG, "its settings"],
  [
    "5.2.7",
    "a variable and a setting",
    { ...SETTING, env: { ...BY_CLICK, ...NAMESPACE } },
    SHORT,
    "its pool",
  ],
  [
    "5.7.0",
    "a variable and a setting",
    { ...SETTING, env: { ...BY_CLICK, ...NAMESPACE } },
    LONG,
    "its settings",
  ],
  ["5.2.7", "two variables", { env: { ...BY_CLICK, ...UNREAD } }, SHORT, "its pool"],
  ["5.7.0", "two variables", { env: { ...BY_CLICK, ...UNREAD } }, SHORT, "its pool"],
  [
    "5.2.7",
    "an option and a setting, of gevent",
    { ...BY_OPTION, ...SETTING, pool: "gevent" },
    SHORT,
    "its command line",
  ],
  [
    "5.7.0",
    "an option and a setting, of gevent",
    { ...BY_OPTION, ...SETTING, pool: "gevent" },
    LONG,
    "its settings",
  ],
])("Celery %s with %s ends a task at the limit that is told", async (celery, _, options, limit, from) => {
  await using server = await startServer();
  await using container = await startContainer();
  await using worker = await container.startWorker({ server, celery, ...options } as WorkerOptions);
  const { of } = await diagnoseIn(container);
  expect(of("time-limits")).toMatchObject([
    { seen: saying(new RegExp(`^no soft limit, hard ${limit} s \\(by ${from}\\)`)) },
  ]);
  await worker.submit("nap", 60);
  const [, seconds] = await worker.waitForLog(/(?:TimeLimitExceeded\(|Hard time limit \()([\d.]+)/, {
    timeoutMs: 30_000,
  });
  expect(Number(seconds)).toBe(limit);
});
