import { asNumber } from "../numbers.ts";
import { ownEntry } from "../own-entry.ts";
import { DEFAULT_POOL, type Pool } from "./pool.ts";
import {
  configured,
  instructed,
  positive,
  type Setting,
  type SettingName,
  type Sources,
  variablesOf,
} from "./settings.ts";
import { tasksHaveSetting } from "./versions.ts";

/**
 * A time limit for a worker's tasks, in seconds; 0: no limit. `by` is its source: `pool` is the pool's own answer, null
 * means that nothing sets it.
 */
export interface TimeLimit {
  readonly seconds: number;
  readonly by: "pool" | "option" | "variable" | "conf" | null;
}

/** The limits of tasks that have no limit of their own. */
export interface TimeLimits {
  readonly soft: TimeLimit;
  readonly hard: TimeLimit;
}

/** What is known about a worker's limits. */
export interface Limited extends Sources {
  /** What it says about its pool. Null: nothing. */
  readonly pool: Pool | null;
  /** Celery's version. Null: not known. */
  readonly version: string | null;
}

const NONE: TimeLimit = { seconds: 0, by: null };

/**
 * The limits that end a worker's tasks. A pool gets `--time-limit`, or CELERY_WORKER_TIME_LIMIT, or else the setting
 * `task_time_limit` (celery/worker/worker.py `setup_defaults`). From Celery 5.7 on, each task has the setting as its
 * own limit, which comes before the pool's (celery/app/task.py `from_config`). If the version is not known, the longer
 * limit is assumed, so that no worker is called hung too early. Measured on 5.0.5 to 5.7.0.
 */
export function timeLimits(worker: Limited): TimeLimits {
  return {
    soft: limitOf("task_soft_time_limit", worker, worker.pool?.timeouts?.soft),
    hard: limitOf("task_time_limit", worker, worker.pool?.timeouts?.hard),
  };
}

function limitOf(name: SettingName, worker: Limited, poolsS: number | undefined): TimeLimit {
  const setting = limitIn(configured(name, worker));
  const option = limitIn(instructed(name, worker));
  const pools = poolsS === undefined ? null : ({ seconds: poolsS, by: "pool" } as const);
  const isFirst = worker.version === null ? null : tasksHaveSetting(worker.version);
  // If the pool tells its limit, there is no need to guess what the application reads.
  const own = pools !== null && setting?.by === "variable" ? null : setting;
  const rest = pools ?? option;
  if (own === null || rest === null) return own ?? rest ?? NONE;
  const settingCounts = isFirst === null ? own.seconds > rest.seconds : isFirst && own.seconds > 0;
  return settingCounts ? own : rest;
}

function limitIn(setting: Setting | null): TimeLimit | null {
  if (setting === null) return null;
  const seconds = asNumber(setting.value);
  return Number.isFinite(seconds) && setting.value !== ""
    ? { seconds: Math.max(0, seconds), by: setting.by }
    : null;
}

/**
 * The limits that each pool enforces. gevent ends tasks at the hard limit, other pools except prefork enforce none
 * (celery/concurrency/*.py).
 */
const ENFORCED: Readonly<Record<string, readonly (keyof TimeLimits)[]>> = {
  prefork: ["soft", "hard"],
  gevent: ["hard"],
};

/** Whether this pool enforces the limit. An unknown pool is treated like prefork. */
export function enforces(pool: string | null, kind: keyof TimeLimits): boolean {
  return ownEntry(ENFORCED, pool ?? DEFAULT_POOL)?.includes(kind) ?? false;
}

/**
 * Variables and options with another limit than the one in effect. Either the application does not read the variable,
 * or a setting comes before the option.
 */
export function withoutEffect(worker: Limited, limits: TimeLimits): readonly string[] {
  return [
    ...othersThan(limits.soft, "task_soft_time_limit", worker),
    ...othersThan(limits.hard, "task_time_limit", worker),
  ];
}

function othersThan(limit: TimeLimit, name: SettingName, worker: Limited): readonly string[] {
  if (worker.pool?.timeouts === undefined) return [];
  const isOther = (value: unknown) => positive(value) > 0 && positive(value) !== limit.seconds;
  const said = instructed(name, worker);
  const options = said?.by === "option" && isOther(said.value) ? [said.name] : [];
  return [...options, ...variablesOf(name).filter((variable) => isOther(worker.environment[variable]))];
}
