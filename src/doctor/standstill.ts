import { readPool } from "../celery/pool.ts";
import { nodesOf, ownLists } from "../celery/queues.ts";
import { transportOptions } from "../celery/transport-options.ts";
import { isHeardTwice, mostActive } from "../session/heartbeats.ts";
import { isLeftAlone, type Look, measure, type QueueKeys } from "../session/queue-lengths.ts";
import { awaitedBehind } from "./behind.ts";
import type { Consumption } from "./consumption.ts";
import { deliveriesOf, ratedTasks } from "./deliveries.ts";
import type { QueueFacts } from "./facts/queues.ts";
import type { Finding } from "./finding.ts";
import { finding } from "./levels.ts";
import type { Scene } from "./scene.ts";

/** The tasks of so many queues are looked at for what they wait for. */
const LOOKED = 20;

/** Finds queues that workers consume, that lose no message, and whose workers' heartbeats show no begun task. */
export async function standstills(
  scene: Scene,
  { byNode, silent }: Consumption,
  before: Look,
  after: Look,
): Promise<readonly Finding[]> {
  const found: Finding[] = [];
  let looked = 0;
  let deliveries: ReturnType<typeof deliveriesOf> | null = null;
  const delivered = () => (deliveries ??= deliveriesOf(scene));
  for (const queue of after.lengths.keys()) {
    const nodes = nodesOf(byNode, queue);
    // The workers may have fetched all that waits.
    const isEmpty = after.lengths.get(queue) === 0 && before.lengths.get(queue) === 0;
    if (nodes.length === 0 || !(isEmpty || isLeftAlone(queue, before, after))) continue;
    const idle = await idleness(scene, nodes);
    if (idle === null || (isEmpty && idle.free > 0)) continue;
    const keys = await keysOf(scene, nodes);
    const length = isEmpty ? 0 : await lengthOf(scene, queue, keys);
    const isLooked = idle.free === 0 && looked++ < LOOKED;
    const held = { queue, keys, nodes, slots: idle.slots, delivered: silent > 0 ? null : delivered };
    const behind = isLooked ? await awaitedBehind(scene, held) : null;
    if (length === 0 && behind === null) continue;
    const rated = idle.free === 0 ? null : await ratedDeliveries(scene, nodes, await delivered());
    found.push(finding("standstill", queue, { length, nodes, ...idle, rated, behind }));
  }
  return found;
}

/** The lists that these nodes read. Messages in other lists are another finding. */
async function keysOf(scene: Scene, nodes: readonly string[]): Promise<QueueKeys> {
  const [conf, stats] = [await scene.told("conf"), await scene.told("stats")];
  const told = nodes.flatMap((node) => transportOptions(conf.get(node), stats.get(node)) ?? []);
  return { prefix: scene.check.plan.naming.prefix, lists: ownLists(told) };
}

async function lengthOf({ session, host }: Scene, queue: string, keys: QueueKeys): Promise<number> {
  const look = session.ok ? await measure(host, session.value.send, [queue], keys) : null;
  return look?.lengths.get(queue) ?? 0;
}

type Idleness = Omit<QueueFacts["standstill"], "length" | "nodes" | "rated" | "behind">;

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
  return { slots, free, overS, youngest };
}

async function ratedDeliveries(
  scene: Scene,
  nodes: readonly string[],
  seen: Awaited<ReturnType<typeof deliveriesOf>>,
): Promise<QueueFacts["standstill"]["rated"]> {
  const rated = await ratedTasks(scene, (node) => nodes.includes(node));
  if (typeof seen === "string" || rated === null) return null;
  const held = seen.messages.flatMap(({ task }) => (rated.has(task.name) ? [task.name] : []));
  const tasks = [...new Set(held)];
  const perHour = tasks.reduce((sum, task) => sum + (rated.get(task) ?? 0), 0);
  return { deliveries: held.length, tasks, perHour };
}
