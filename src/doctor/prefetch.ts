import { readPool } from "../celery/pool.ts";
import { isHeardTwice, mostActive } from "../session/heartbeats.ts";
import type { Consumption } from "./consumption.ts";
import { type Looks, ratedTasks } from "./deliveries.ts";
import type { InHand } from "../celery/tasks.ts";
import type { Finding } from "./finding.ts";
import { nameOf } from "../celery/late-deliveries.ts";
import { finding } from "./levels.ts";
import type { Scene } from "./scene.ts";

/** Whether full workers keep deliveries that idle ones could run: both by two heartbeats and two looks. */
export async function prefetchFindings(
  scene: Scene,
  looks: Looks | string,
  { byNode, silent }: Consumption,
  inHand: InHand,
): Promise<readonly Finding[]> {
  if (typeof looks === "string" || looks.first === looks.second || byNode.size < 2 || silent > 0) return [];
  const { first, second } = looks;
  const [stats, rated] = [await scene.told("stats"), await ratedTasks(scene)];
  if (rated === null) return [];
  const nodes = [...byNode].map(([node, own]) => {
    const span = scene.spans().get(node);
    const size = readPool(stats.get(node))?.size ?? null;
    return { node, own, size, active: isHeardTwice(span) ? mostActive(span) : null };
  });
  if (nodes.some(({ size, active }) => size === null || active === null)) return [];
  const full = nodes.filter(({ size, active }) => (active ?? 0) >= (size ?? 0));
  const idle = nodes
    .filter((one) => !full.includes(one))
    .filter(({ own }) => full.flatMap((one) => one.own).every((queue) => own.includes(queue)));
  const running = new Set([...inHand.values()].flat().map(({ id }) => id));
  const before = new Set(first.messages.map(nameOf));
  const held = second.messages.filter(
    (one) =>
      before.has(nameOf(one)) && !one.isTimed && !running.has(one.task.id) && !rated.has(one.task.name),
  ).length;
  if (held === 0 || full.length === 0 || idle.length === 0) return [];
  const slots = full.reduce((sum, { size }) => sum + (size ?? 0), 0);
  const named = (some: typeof nodes) => some.map(({ node }) => node);
  return [finding("prefetch", null, { held, slots, full: named(full), idle: named(idle) })];
}
