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

/** How a pool is called on the command line: `celery.concurrency.thread:TaskPool` is `threads`. */
export function poolIn(stats: KnownWorker["pool"]): string | null {
  const name = /^celery\.concurrency\.(\w+):/.exec(String(stats?.["implementation"]))?.[1];
  return name === undefined ? null : poolNamed(name);
}

/** celery/concurrency/__init__.py `ALIASES`. */
export function poolNamed(name: string): string {
  return name === "thread" ? "threads" : name === "processes" ? "prefork" : name;
}
