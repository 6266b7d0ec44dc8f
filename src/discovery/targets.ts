import { nodeName } from "../celery/node-name.ts";
import { type Survey, workerNode, type WorkerProcess } from "../worker/survey.ts";

/** A node to ask, and the process that bears it; null where none in sight does. */
export interface Target {
  readonly node: string;
  readonly worker: WorkerProcess | null;
}

/** Whom to ask, and who else is here. */
export interface Targets {
  /** One for each worker; nodes of one name can be several. */
  readonly list: readonly Target[];
  /** The names of workers here that are not asked. */
  readonly others: readonly string[];
}

type Environment = Readonly<Record<string, string | undefined>>;

/** What is known of this machine when targets are chosen. */
export interface Place {
  readonly hostname: string;
  readonly env: Environment;
}

/**
 * The nodes that were named, or else every worker in sight, or else Celery's default name.
 *
 * @param given as after `-n`; empty: none was named
 */
export function chooseTargets(given: readonly string[], here: Survey | null, place: Place): Targets {
  const workers = (here?.workers ?? []).map((worker) => ({
    node: workerNode(worker, place.hostname, place.env),
    worker,
  }));
  if (given.length === 0) {
    const list = workers.length > 0 ? workers : [{ node: nodeName("", place.hostname), worker: null }];
    return { list, others: [] };
  }
  const names = [...new Set(given.map((name) => nodeName(name, place.hostname)))];
  const list = names.flatMap((node): readonly Target[] => {
    const named = workers.filter((worker) => worker.node === node);
    return named.length > 0 ? named : [{ node, worker: null }];
  });
  const unasked = workers.filter(({ node }) => !names.includes(node));
  const [only, another] = list;
  // One whose name nothing shows is the one that was meant.
  const nameless = unasked.find(({ worker }) => isNameless(worker, place.env));
  if (only?.worker === null && another === undefined && nameless !== undefined) {
    return { list: [{ node: only.node, worker: nameless.worker }], others: [] };
  }
  return { list, others: unasked.map(({ node }) => node) };
}

/** Found by its number alone, or named after a host whose name cannot be seen. */
function isNameless(worker: WorkerProcess, env: Environment): boolean {
  const unseen = "?";
  return (
    worker.foundBy === "pidfile" || (worker.host === null && workerNode(worker, unseen, env).includes(unseen))
  );
}
