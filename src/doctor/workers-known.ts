import { asObject } from "../pidbox/envelope.ts";
import { detailsOf, type WorkerDetails } from "../worker/in-sight.ts";
import type { WorkerProcess } from "../worker/survey.ts";
import type { Scene } from "./scene.ts";

/** One worker with all that can be known of it. */
export interface KnownWorker {
  readonly node: string;
  /** Null: not in sight. */
  readonly process: WorkerProcess | null;
  readonly details: WorkerDetails | null;
  /** What it says of itself; null: it does not answer. */
  readonly pool: Readonly<Record<string, unknown>> | null;
  /** Its settings that differ from Celery's; null: it does not answer. */
  readonly conf: Readonly<Record<string, unknown>> | null;
}

/** The workers in sight, and those that answer. */
export async function knownWorkers({ workers, told, host }: Scene): Promise<readonly KnownWorker[]> {
  const [stats, conf] = await Promise.all([told("stats"), told("conf")]);
  const seen = new Map(workers.map(({ node, process }) => [node, process]));
  return [...new Set([...seen.keys(), ...stats.keys()])].map((node) => {
    const process = seen.get(node);
    return {
      node,
      process: process ?? null,
      details: process === undefined ? null : detailsOf(host.proc, process.pid),
      pool: asObject(asObject(stats.get(node))?.["pool"]),
      conf: asObject(conf.get(node)),
    };
  });
}

/** How the pool that runs is called on the command line, by its own words; null: they do not say. */
export function poolIn(stats: KnownWorker["pool"]): string | null {
  const name = /^celery\.concurrency\.(\w+):/.exec(String(stats?.["implementation"]))?.[1];
  if (name !== undefined) return poolNamed(name);
  // Celery 5.2 has no `implementation`, and only prefork counts what it writes (celery/concurrency/prefork.py `_get_info`).
  return stats?.["writes"] === undefined ? null : "prefork";
}

/** What a worker was told to run, and by what: as Celery reads it, the command line before the variable; null: nothing. */
export function poolTold({ details }: KnownWorker): { readonly pool: string; readonly by: string } | null {
  const option = details?.options.get("pool");
  if (option !== undefined) return { pool: poolNamed(option), by: "its command line" };
  const variable = details?.environment?.get("CELERY_WORKER_POOL");
  return variable ? { pool: poolNamed(variable), by: "CELERY_WORKER_POOL" } : null;
}

/** The pool that it runs, or else was told to run; null: not known. */
export function poolOf(worker: KnownWorker): string | null {
  const setting = worker.conf?.["worker_pool"];
  return (
    poolIn(worker.pool) ?? poolTold(worker)?.pool ?? (typeof setting === "string" ? poolNamed(setting) : null)
  );
}

/** `celery.concurrency.thread` is `threads` (celery/concurrency/__init__.py `ALIASES`). */
function poolNamed(name: string): string {
  return name === "thread" ? "threads" : name === "processes" ? "prefork" : name;
}
