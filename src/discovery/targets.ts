import { laterNodeName, nodeName } from "../celery/node-name.ts";
import { laterWorkerNode, type Survey, workerNode, type WorkerProcess } from "../worker/survey.ts";

/** A node to ask and its process; null: no process in sight is this node. */
export interface Target {
  readonly node: string;
  /** The node's name if it runs Celery 5.7 or later, which only the node itself knows; null: the same name. */
  readonly laterNode: string | null;
  readonly worker: WorkerProcess | null;
}

/** All names that the node may have. */
export function namesOf({ node, laterNode }: Pick<Target, "node" | "laterNode">): readonly string[] {
  return laterNode === null ? [node] : [node, laterNode];
}

/** The nodes to ask, and the other workers here. */
export interface Targets {
  /** One entry for each worker. Several nodes may have the same name. */
  readonly list: readonly Target[];
  /** The names of workers here that are not asked. */
  readonly others: readonly string[];
}

type Environment = Readonly<Record<string, string | undefined>>;

/** What is known about this machine when targets are chosen. */
export interface Place {
  readonly hostname: string;
  readonly env: Environment;
}

/**
 * The named nodes. Without named nodes, every worker in sight. Without a worker in sight, Celery's default name.
 *
 * @param given in the form of `-n`; empty: the user named none
 */
export function chooseTargets(given: readonly string[], here: Survey | null, place: Place): Targets {
  const { hostname, env } = place;
  const workers = (here?.workers ?? []).map((worker) => ({
    node: workerNode(worker, hostname, env),
    laterNode: laterWorkerNode(worker, hostname, env),
    worker,
  }));
  if (given.length === 0) {
    const nobody = { node: nodeName("", hostname), laterNode: null, worker: null };
    return { list: workers.length > 0 ? workers : [nobody], others: [] };
  }
  const asked = new Map(
    given.map((name) => [nodeName(name, hostname), laterNodeName(name, hostname)] as const),
  );
  const isCalled = (target: Target, node: string) => namesOf(target).includes(node);
  const list = [...asked].flatMap(([node, laterNode]): readonly Target[] => {
    const named = workers.filter((worker) => isCalled(worker, node));
    return named.length > 0 ? named : [{ node, laterNode, worker: null }];
  });
  const unasked = workers.filter((worker) => ![...asked.keys()].some((node) => isCalled(worker, node)));
  const [only, another] = list;
  // A worker without a known name is taken for the node that was meant.
  const nameless = unasked.find(({ worker }) => isNameless(worker, env));
  if (only?.worker === null && another === undefined && nameless !== undefined) {
    return { list: [{ ...only, worker: nameless.worker }], others: [] };
  }
  return { list, others: unasked.map(({ node }) => node) };
}

/** It was found only by its number, or its name contains a host name that cannot be seen. */
function isNameless(worker: WorkerProcess, env: Environment): boolean {
  const unseen = "?";
  return (
    worker.foundBy === "pidfile" || (worker.host === null && workerNode(worker, unseen, env).includes(unseen))
  );
}
