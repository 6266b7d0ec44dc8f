import { mayShareBroker } from "../discovery/choose-broker.ts";
import { queuesOf as queuesGiven } from "../celery/worker-settings.ts";
import { DEFAULT_QUEUE, queueNames } from "../celery/queues.ts";
import type { Scene } from "./scene.ts";

/** Which nodes consume which queues, by their own answers. */
export interface Consumption {
  /** The queues of each node that said. */
  readonly byNode: ReadonlyMap<string, readonly string[]>;
  /** Workers that are there and did not say: what they consume is not known. */
  readonly silent: number;
}

/** Waits for heartbeats too: a worker that answers nothing may be heard. */
export async function consumptionOf(scene: Scene): Promise<Consumption> {
  const byNode = await consumedByNode(scene);
  const known = new Set([...(await scene.nodes()), ...scene.workers.map(({ node }) => node)]);
  const missing = [...known].filter((node) => !byNode.has(node));
  return { byNode, silent: Math.max(missing.length, await scene.silent()) };
}

export async function consumedByNode(scene: Scene): Promise<ReadonlyMap<string, readonly string[]>> {
  const told = await scene.told("active_queues");
  return new Map(
    [...told].flatMap(([node, answer]) => {
      const names = queueNames(answer);
      return names === null ? [] : [[node, names] as const];
    }),
  );
}

/** The queues that these nodes say they consume. */
export function queuesOf(
  byNode: Consumption["byNode"],
  isMeant: (node: string) => boolean,
): readonly string[] {
  return [...new Set([...byNode].flatMap(([node, names]) => (isMeant(node) ? names : [])))];
}

/** The nodes that say they consume a queue. */
export function nodesOf(byNode: Consumption["byNode"], queue: string): readonly string[] {
  return [...byNode].filter(([, own]) => own.includes(queue)).map(([node]) => node);
}

/**
 * The queues to examine: consumed ones, queues that workers in sight were told to consume, and queues named by
 * options.
 */
export function queuesToMeasure(
  scene: Scene,
  byNode: ReadonlyMap<string, readonly string[]>,
): readonly string[] {
  const { config, host } = scene;
  const { origin } = scene.check.plan.broker;
  const own = scene.workers;
  const owner = origin.kind === "worker" ? own.find(({ process }) => process.pid === origin.pid) : undefined;
  const told = own
    .filter(({ node, process }) => !byNode.has(node) && mayShareBroker(process, owner?.process ?? process))
    .flatMap(({ process }) => queuesGiven(process, host.env) ?? []);
  const named = config["max-queue-length"].value.flatMap(({ queue }) => queue ?? []);
  const all = [...new Set([...queuesOf(byNode, scene.isMeant), ...told, ...config.queue.value, ...named])];
  return all.length === 0 ? [DEFAULT_QUEUE] : all.sort();
}
