import { readPool } from "../celery/pool.ts";
import { readSettings } from "../celery/settings.ts";
import type { Limited } from "../celery/time-limits.ts";
import { NOTHING_GIVEN } from "../celery/worker-options.ts";
import { sourcesOf } from "../celery/worker-settings.ts";
import { detailsOf, type WorkerDetails } from "../worker/in-sight.ts";
import type { WorkerProcess } from "../worker/survey.ts";
import type { Scene } from "./scene.ts";

/** One worker with all that can be known of how it is set up. */
export interface KnownWorker extends Limited {
  readonly node: string;
  /** Null: not in sight. */
  readonly process: WorkerProcess | null;
  readonly details: WorkerDetails | null;
}

/** A node that nobody sees was given what nobody knows. */
const UNSEEN = { command: NOTHING_GIVEN, environment: {} };

/** What each node tells of itself, joined with what is seen of it here. */
export async function setups({ workers, told, versions, host, isMeant }: Scene): Promise<{
  readonly nodes: readonly string[];
  readonly of: (node: string) => Limited & Pick<KnownWorker, "process">;
}> {
  const [stats, conf, celery] = await Promise.all([told("stats"), told("conf"), versions()]);
  const seen = new Map(workers.map(({ node, process }) => [node, process]));
  return {
    nodes: [...new Set([...seen.keys(), ...stats.keys()])].filter(isMeant),
    of(node) {
      const process = seen.get(node) ?? null;
      return {
        ...sourcesOf(process ?? UNSEEN, host.env),
        process,
        settings: readSettings(conf.get(node)),
        pool: readPool(stats.get(node)),
        version: celery.get(node) ?? null,
      };
    },
  };
}

/** The workers in sight, and those that answer. */
export async function knownWorkers(scene: Scene): Promise<readonly KnownWorker[]> {
  const { nodes, of } = await setups(scene);
  return nodes.map((node) => {
    const worker = of(node);
    const { process } = worker;
    return { ...worker, node, details: process === null ? null : detailsOf(scene.host.proc, process.pid) };
  });
}
