import { soonest, transportsTold } from "../celery/transport-options.ts";
import type { Looks } from "./deliveries.ts";
import type { InHand } from "../celery/tasks.ts";
import type { Finding } from "./finding.ts";
import { nameOf } from "../celery/late-deliveries.ts";
import { finding } from "./levels.ts";
import type { Scene } from "./scene.ts";

/** Celery's own `max_retries` is 3. */
const MANY_RETRIES = 10;

/** Tasks that run twice at once, that come again and again, and that are retried without end. */
export async function repeatFindings(
  scene: Scene,
  looks: Looks | string,
  inHand: InHand,
): Promise<readonly Finding[]> {
  const delivered = typeof looks === "string" ? [] : [...retriedTasks(looks), ...deliveredAgain(looks)];
  return [...(await runningTwice(scene, inHand)), ...delivered];
}

async function runningTwice(scene: Scene, inHand: InHand): Promise<readonly Finding[]> {
  const all = [...inHand].flatMap(([node, tasks]) => tasks.map((task) => ({ node, task })));
  const groups = [...Map.groupBy(all, ({ task }) => task.id).values()].filter(({ length }) => length > 1);
  const [oldest] = groups.map((one) => one.sort((a, b) => b.task.ageS - a.task.ageS)).sort(byAge);
  const [first] = oldest ?? [];
  if (oldest === undefined || first === undefined) return [];
  const { visibilityS } = soonest(transportsTold(await scene.told("conf"), await scene.told("stats")));
  const nodes = oldest.map(({ node }) => node);
  const facts = { task: first.task, nodes, tasks: groups.length, visibilityS };
  return [finding("repeated-tasks", first.task.name, { kind: "twice", ...facts })];
}

type Group = readonly { readonly task: { readonly ageS: number } }[];

function byAge([a]: Group, [b]: Group): number {
  return (b?.task.ageS ?? 0) - (a?.task.ageS ?? 0);
}

function retriedTasks({ second }: Looks): readonly Finding[] {
  const retried = second.messages.filter(({ retries }) => retries > MANY_RETRIES);
  const [most] = retried.sort((a, b) => b.retries - a.retries);
  if (most === undefined) return [];
  const { task, retries } = most;
  return [finding("repeated-tasks", task.name, { kind: "retried", task, tasks: retried.length, retries })];
}

function deliveredAgain({ first, second }: Looks): readonly Finding[] {
  const before = new Set(first.messages.map(nameOf));
  const ids = new Set(first.messages.map(({ task }) => task.id));
  const again = second.messages.filter(
    (one) => one.isRedelivered && ids.has(one.task.id) && !before.has(nameOf(one)),
  );
  const [one] = again;
  if (one === undefined) return [];
  return [finding("repeated-tasks", one.task.name, { kind: "again", task: one.task, tasks: again.length })];
}
