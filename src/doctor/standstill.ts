import { readPool } from "../celery/pool.ts";
import { type Consumed, nodesOf, ownLists } from "../celery/queues.ts";
import { transportOptions } from "../celery/transport-options.ts";
import { isHeardTwice, mostActive } from "../session/heartbeats.ts";
import { isLeftAlone, type Look, measure } from "../session/queue-lengths.ts";
import { deliveriesOf, ratedTasks } from "./deliveries.ts";
import type { QueueFacts } from "./facts/queues.ts";
import type { Finding } from "./finding.ts";
import { finding } from "./levels.ts";
import type { Scene } from "./scene.ts";

/** Finds queues that workers consume, that lose no message, and whose workers' heartbeats show no begun task. */
export async function standstills(
  scene: Scene,
  byNode: Consumed,
  before: Look,
  after: Look,
): Promise<readonly Finding[]> {
  const found: Finding[] = [];
  for (const queue of after.lengths.keys()) {
    const nodes = nodesOf(byNode, queue);
    if (nodes.length === 0 || !isLeftAlone(queue, before, after)) continue;
    const idle = await idleness(scene, nodes);
    const length = idle === null ? 0 : await lengthOfOwn(scene, nodes, queue);
    if (idle !== null && length > 0) found.push(finding("standstill", queue, { length, nodes, ...idle }));
  }
  return found;
}

/** How many messages wait in the lists that these nodes read. Messages in other lists are another finding. */
async function lengthOfOwn(scene: Scene, nodes: readonly string[], queue: string): Promise<number> {
  const [conf, stats] = [await scene.told("conf"), await scene.told("stats")];
  const told = nodes.flatMap((node) => transportOptions(conf.get(node), stats.get(node)) ?? []);
  const keys = { prefix: scene.check.plan.naming.prefix, lists: ownLists(told) };
  const look = scene.session.ok ? await measure(scene.host, scene.session.value.send, [queue], keys) : null;
  return look?.lengths.get(queue) ?? 0;
}

type Idleness = Omit<QueueFacts["standstill"], "length" | "nodes">;

/** Null: a worker has begun a task, or it was not heard twice. */
async function idleness(scene: Scene, nodes: readonly string[]): Promise<Idleness | null> {
  const [stats, inHand] = [await scene.told("stats"), await scene.inHand()];
  let [slots, free, overS] = [0, 0, Infinity];
  for (const node of nodes) {
    const span = scene.spans().get(node);
    const size = readPool(stats.get(node))?.size ?? null;
    if (!isHeardTwice(span) || span.first.processed !== span.last.processed || size === null) return null;
    slots += size;
    free += Math.max(0, size - (mostActive(span) ?? size));
    overS = Math.min(overS, (span.lastMs - span.firstMs) / 1_000);
  }
  const all = nodes.flatMap((node) => inHand.get(node) ?? []).sort((a, b) => a.ageS - b.ageS);
  const youngest = nodes.every((node) => inHand.has(node)) ? (all[0] ?? null) : null;
  return { slots, free, overS, youngest, rated: free === 0 ? null : await ratedDeliveries(scene, nodes) };
}

async function ratedDeliveries(scene: Scene, nodes: readonly string[]): Promise<Idleness["rated"]> {
  const [seen, rated] = [await deliveriesOf(scene), await ratedTasks(scene, (node) => nodes.includes(node))];
  if (typeof seen === "string" || rated === null) return null;
  const held = seen.messages.flatMap(({ task }) => (rated.has(task.name) ? [task.name] : []));
  const tasks = [...new Set(held)];
  const perHour = tasks.reduce((sum, task) => sum + (rated.get(task) ?? 0), 0);
  return { deliveries: held.length, tasks, perHour };
}
