import { mayShareBroker } from "../discovery/choose-broker.ts";
import { queuesOf as queuesGiven } from "../celery/worker-settings.ts";
import { type Consumed, consumedBy, DEFAULT_QUEUE, queuesOf } from "../celery/queues.ts";
import type { Scene } from "./scene.ts";

/** Which nodes consume which queues, by their own answers. */
export interface Consumption {
  readonly byNode: Consumed;
  /** Workers that exist and did not say what they consume. */
  readonly silent: number;
}

/** Also waits for the heartbeats: they show workers that answer nothing. */
export async function consumptionOf(scene: Scene): Promise<Consumption> {
  const byNode = consumedBy(await scene.told("active_queues"));
  const known = new Set([...(await scene.nodes()), ...scene.workers.map(({ node }) => node)]);
  const missing = [...known].filter((node) => !byNode.has(node));
  return { byNode, silent: Math.max(missing.length, await scene.silent()) };
}

/** The queues to examine: consumed ones, ones that workers in sight were told to consume, and ones named by options. */
export function queuesToMeasure(scene: Scene, byNode: Consumed): readonly string[] {
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
