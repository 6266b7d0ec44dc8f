import { asObject } from "../pidbox/envelope.ts";
import { positive, settingOf, type Sources } from "./settings.ts";

/** Celery's default. */
export const DEFAULT_POOL = "prefork";

/** What a worker tells of its pool in an answer to `stats`. */
export interface Pool {
  /** As `-P` calls it; a class of the application's own by its path; null: Celery before 5.3 does not say. */
  readonly name: string | null;
  /** How many tasks may run at once; null: not told. */
  readonly size: number | null;
  /** The limits of its tasks in seconds, 0: none; prefork alone tells them. */
  readonly timeouts?: { readonly soft: number; readonly hard: number };
  /** 0: its children are never replaced, or it is not told. */
  readonly maxTasksPerChild: number;
}

/** Null: the answer has another form. */
export function readPool(stats: unknown): Pool | null {
  const pool = asObject(asObject(stats)?.["pool"]);
  if (pool === null) return null;
  const { "max-concurrency": size, timeouts, "max-tasks-per-child": maxTasks } = pool;
  // `max-concurrency` is what an autoscaled pool began with (celery/worker/autoscale.py `info`).
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

/** `celery.concurrency.thread:TaskPool` (celery/concurrency/base.py); before Celery 5.3 each pool has keys of its own. */
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
  // Of Celery's own pools gevent's alone tells nothing but its size.
  return Object.keys(pool).join() === "max-concurrency" ? "gevent" : null;
}

/** Its name in an answer to `stats`; null: it does not tell. */
export function poolNameIn(stats: unknown): string | null {
  return readPool(stats)?.name ?? null;
}

/** Names of the same pool (celery/concurrency/__init__.py `ALIASES`, and the module of `threads`). */
function poolNamed(name: string): string {
  return name === "thread" ? "threads" : name === "processes" ? "prefork" : name;
}

/** The pool that a worker was told to run, and by what; null: nothing says so. */
export function poolWanted(sources: Sources): { readonly pool: string; readonly by: string } | null {
  const found = settingOf("worker_pool", sources);
  return found !== null && typeof found.value === "string"
    ? { pool: poolNamed(found.value), by: found.name }
    : null;
}

/** The pool that a worker says it runs, or else the pool that it was told to run; null: not known. */
export function poolRunning(told: Pool | null, sources: Sources): string | null {
  return told?.name ?? poolWanted(sources)?.pool ?? null;
}

/** When children are replaced, which only prefork does: after so many tasks, or above so many kilobytes. */
export interface Recycling {
  readonly maxTasks: number | null;
  readonly maxKilobytes: number | null;
}

/** By what a worker tells of its pool, or else was told. */
export function recyclingOf(told: Pool | null, sources: Sources): Recycling {
  const maxTasks = settingOf("worker_max_tasks_per_child", sources)?.value;
  const maxKilobytes = settingOf("worker_max_memory_per_child", sources)?.value;
  return {
    maxTasks: (told?.maxTasksPerChild ?? 0) || positive(maxTasks) || null,
    maxKilobytes: positive(maxKilobytes) || null,
  };
}
