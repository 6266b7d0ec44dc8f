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
 * A time limit of a worker's tasks in seconds, 0: no limit. Its source is `pool` for the pool itself, null if nothing
 * says so.
 */
export interface TimeLimit {
  readonly seconds: number;
  readonly by: "pool" | "option" | "variable" | "conf" | null;
}

/** The limits of tasks without their own. */
export interface TimeLimits {
  readonly soft: TimeLimit;
  readonly hard: TimeLimit;
}

/** What is known of a worker whose limits are wanted. */
export interface Limited extends Sources {
  /** What it tells of its pool; null: nothing. */
  readonly pool: Pool | null;
  /** Celery's; null: not known. */
  readonly version: string | null;
}

const NONE: TimeLimit = { seconds: 0, by: null };

/**
 * The limits that end a worker's tasks. A pool gets `--time-limit`, or CELERY_WORKER_TIME_LIMIT, or else the setting
 * `task_time_limit` (celery/worker/worker.py `setup_defaults`). From Celery 5.7 on each task has the setting as its
 * own limit, which goes before the pool's (celery/app/task.py `from_config`). If neither version nor answer tells,
 * the longer one is assumed, so that no worker is called hung too early. Measured on 5.0.5 to 5.7.0.
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

/** What each pool enforces (celery/concurrency/*.py: gevent ends a task at the hard limit, the others none). */
const ENFORCED: Readonly<Record<string, readonly (keyof TimeLimits)[]>> = {
  prefork: ["soft", "hard"],
  gevent: ["hard"],
};

/** Whether a pool of this name ends tasks at the limit, or interrupts them; an unknown pool is taken for prefork. */
export function enforces(pool: string | null, kind: keyof TimeLimits): boolean {
  return ownEntry(ENFORCED, pool ?? DEFAULT_POOL)?.includes(kind) ?? false;
}

/**
 * Variables and options that name another limit than the one in effect. The application does not read the variable,
 * or a setting goes before the option.
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
