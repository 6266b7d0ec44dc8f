import { asObject } from "../pidbox/envelope.ts";
import { positive, settingOf, type Sources } from "./settings.ts";

/** Celery's default. */
export const DEFAULT_POOL = "prefork";

/** What a worker's answer to `stats` says about its pool. */
export interface Pool {
  /** The name for `-P`. A class of the application has its path instead. Null: Celery before 5.3 does not say. */
  readonly name: string | null;
  /** How many tasks may run at once. Null: not told. */
  readonly size: number | null;
  /** The time limits of its tasks, in seconds; 0: no limit. Only prefork tells them. */
  readonly timeouts?: { readonly soft: number; readonly hard: number };
  /** 0: children are never replaced, or the answer does not say. */
  readonly maxTasksPerChild: number;
}

/** Null: the answer has another form. */
export function readPool(stats: unknown): Pool | null {
  const pool = asObject(asObject(stats)?.["pool"]);
  if (pool === null) return null;
  const { "max-concurrency": size, timeouts, "max-tasks-per-child": maxTasks } = pool;
  // For an autoscaled pool, `max-concurrency` is the size it began with (celery/worker/autoscale.py `info`).
  const most = Math.max(positive(size), positive(asObject(asObject(stats)?.["autoscaler"])?.["max"]));
  return {
    name: nameIn(pool),
    size: most > 0 ? most : null,
    // A solo pool has an empty list (celery/concurrency/solo.py `_get_info`).
    ...(Array.isArray(timeouts) && timeouts.length === 2
      ? { timeouts: { soft: positive(timeouts[0]), hard: positive(timeouts[1]) } }
      : {}),
    maxTasksPerChild: positive(maxTasks),
  };
}

/**
 * Reads `celery.concurrency.thread:TaskPool` (celery/concurrency/base.py). Before Celery 5.3, the keys show the pool.
 */
function nameIn(pool: Readonly<Record<string, unknown>>): string | null {
  const { implementation } = pool;
  if (typeof implementation === "string") {
    const module = /^celery\.concurrency\.(\w+):/.exec(implementation)?.[1];
    return module === undefined ? implementation : poolNamed(module);
  }
  if ("writes" in pool) return "prefork";
  if ("threads" in pool) return "threads";
  if ("processes" in pool) return "solo";
  if ("free-threads" in pool) return "eventlet";
  // Among Celery's own pools only gevent tells nothing except its size.
  return Object.keys(pool).join() === "max-concurrency" ? "gevent" : null;
}

/** The pool's name in an answer to `stats`. Null: the answer does not name it. */
export function poolNameIn(stats: unknown): string | null {
  return readPool(stats)?.name ?? null;
}

/**
 * Gives different names of a pool the same name (celery/concurrency/__init__.py `ALIASES`, and the module of
 * `threads`).
 */
function poolNamed(name: string): string {
  return name === "thread" ? "threads" : name === "processes" ? "prefork" : name;
}

/** The pool that a worker was told to run, and the option, variable or setting that names it. Null: none does. */
export function poolWanted(sources: Sources): { readonly pool: string; readonly by: string } | null {
  const found = settingOf("worker_pool", sources);
  return found !== null && typeof found.value === "string"
    ? { pool: poolNamed(found.value), by: found.name }
    : null;
}

/** The pool that the worker says it runs, or else the pool that it was told to run. Null: not known. */
export function poolRunning(told: Pool | null, sources: Sources): string | null {
  return told?.name ?? poolWanted(sources)?.pool ?? null;
}

/** When prefork replaces its children: after this many tasks, or above this many kilobytes. Other pools do not. */
export interface Recycling {
  readonly maxTasks: number | null;
  readonly maxKilobytes: number | null;
}

/** Reads the worker's own answer first, then its options and settings. */
export function recyclingOf(told: Pool | null, sources: Sources): Recycling {
  const maxTasks = settingOf("worker_max_tasks_per_child", sources)?.value;
  const maxKilobytes = settingOf("worker_max_memory_per_child", sources)?.value;
  return {
    maxTasks: (told?.maxTasksPerChild ?? 0) || positive(maxTasks) || null,
    maxKilobytes: positive(maxKilobytes) || null,
  };
}
