import { readPool } from "../celery/pool.ts";
import { readSettings } from "../celery/settings.ts";
import type { Limited } from "../celery/time-limits.ts";
import { NOTHING_GIVEN } from "../celery/worker-options.ts";
import { sourcesOf } from "../celery/worker-settings.ts";
import type { WorkerProcess } from "../worker/survey.ts";
import type { Scene } from "./scene.ts";

/** A worker, and how it is set up. */
export interface KnownWorker extends Limited {
  readonly node: string;
  /** Null: the worker is not in sight. */
  readonly process: WorkerProcess | null;
}

/** For nodes that are out of sight. */
const UNSEEN = { command: NOTHING_GIVEN, environment: {} };

/** All workers in sight and all workers that answer. Joins a worker's own answers with what its process shows. */
export async function knownWorkers(scene: Scene): Promise<readonly KnownWorker[]> {
  const { workers, told, isMeant } = scene;
  const nodes = new Set([...workers.map(({ node }) => node), ...(await told("stats")).keys()]);
  const setup = await setups(scene);
  return [...nodes].filter(isMeant).map(setup);
}

/** Finds how a node is set up, as far as that is known. */
export async function setups({
  workers,
  told,
  versions,
  host,
}: Scene): Promise<(node: string) => KnownWorker> {
  const [stats, conf, celery] = await Promise.all([told("stats"), told("conf"), versions()]);
  const seen = new Map(workers.map(({ node, process }) => [node, process]));
  return (node) => {
    const process = seen.get(node) ?? null;
    return {
      ...sourcesOf(process ?? UNSEEN, host.env),
      ...{ node, process },
      settings: readSettings(conf.get(node)),
      pool: readPool(stats.get(node)),
      version: celery.get(node) ?? null,
    };
  };
}
