import { laterNodeName, nodeName } from "../celery/node-name.ts";
import { laterWorkerNode, type Survey, workerNode, type WorkerProcess } from "../worker/survey.ts";

/** A node to ask, and the process that bears it; null where none in sight does. */
export interface Target {
  readonly node: string;
  /** What it is called instead where it is Celery 5.7 or later, which only itself can tell; null: the same. */
  readonly laterNode: string | null;
  readonly worker: WorkerProcess | null;
}

/** All names that it may have. */
export function namesOf({ node, laterNode }: Pick<Target, "node" | "laterNode">): readonly string[] {
  return laterNode === null ? [node] : [node, laterNode];
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
  // One whose name nothing shows is the one that was meant.
  const nameless = unasked.find(({ worker }) => isNameless(worker, env));
  if (only?.worker === null && another === undefined && nameless !== undefined) {
    return { list: [{ ...only, worker: nameless.worker }], others: [] };
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
