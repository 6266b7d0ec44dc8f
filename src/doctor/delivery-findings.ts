import { dueS, excusedBy, judgeUnacked, nameOf, roomOf, waitingAmong } from "../celery/late-deliveries.ts";
import { deliveredAgain, mostRetried, runningTwice } from "../celery/repeated-tasks.ts";
import type { InHand } from "../celery/tasks.ts";
import { soonest, transportsTold } from "../celery/transport-options.ts";
import { loadOf } from "../session/heartbeats.ts";
import type { Consumption } from "./consumption.ts";
import { type Looks, ratedTasks } from "./deliveries.ts";
import type { TaskFacts } from "./facts/tasks.ts";
import type { Finding } from "./finding.ts";
import { finding } from "./levels.ts";
import type { Scene } from "./scene.ts";

/** Finds tasks that run twice at once, that are delivered again and again, or that are retried without end. */
export async function repeatFindings(
  scene: Scene,
  looks: Looks | string,
  inHand: InHand,
): Promise<readonly Finding[]> {
  const found: TaskFacts["repeated-tasks"][] = [];
  const twice = runningTwice(inHand);
  if (twice !== null) {
    const { visibilityS } = soonest(transportsTold(await scene.told("conf"), await scene.told("stats")));
    found.push({ kind: "twice", ...twice, visibilityS });
  }
  const [first, second] =
    typeof looks === "string" ? [[], []] : [looks.first.messages, looks.second.messages];
  const [retried, again] = [mostRetried(second), deliveredAgain(first, second)];
  if (retried !== null) found.push({ kind: "retried", ...retried });
  if (again !== null) found.push({ kind: "again", ...again });
  return found.map((facts) => finding("repeated-tasks", facts.task.name, facts));
}

/** Finds deliveries that full workers keep although idle workers could run them. Needs two heartbeats and two looks. */
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
  const nodes = [...byNode].flatMap(([node, own]) => {
    const load = loadOf(scene.spans().get(node), stats.get(node));
    return load === null ? [] : [{ node, own, ...load }];
  });
  if (nodes.length < byNode.size) return [];
  const full = nodes.filter(({ slots, active }) => active >= slots);
  const taken = full.flatMap(({ own }) => own);
  const idle = nodes.filter((one) => !full.includes(one) && taken.every((queue) => one.own.includes(queue)));
  const before = new Set(first.messages.map(nameOf));
  const waiting = waitingAmong(second.messages, excusedBy(inHand, rated));
  const held = waiting.filter((one) => before.has(nameOf(one))).length;
  if (held === 0 || full.length === 0 || idle.length === 0) return [];
  const slots = full.reduce((sum, one) => sum + one.slots, 0);
  const named = (some: typeof nodes) => some.map(({ node }) => node);
  return [finding("prefetch", null, { held, slots, full: named(full), idle: named(idle) })];
}

/** In milliseconds. A heartbeat this long after a delivery was seen shows whether its worker has begun it. */
const HEARD_AFTER_MS = 1_000;

/** Finds deliveries that do not run although nothing holds them back, and deliveries whose ETA is too far away. */
export async function lateFinding(
  scene: Scene,
  looks: Looks | string,
  inHand: InHand,
  silent: number,
): Promise<Finding> {
  if (typeof looks === "string") return finding("late-tasks", null, { kind: "not-seen", because: looks });
  const { atMs, first, second } = looks;
  const isExcused = excusedBy(inHand, first.messages.length === 0 ? null : await ratedTasks(scene));
  const { messages, visibilityS, count, overdue, isDefault, isTold } = second;
  const isSure = second !== first && (await areHeard(scene, atMs + HEARD_AFTER_MS));
  const nowS = scene.host.epochSeconds();
  const { late, beyond } = judgeUnacked(messages, {
    isExcused,
    before: new Set(isSure ? waitingAmong(first.messages, isExcused).map(nameOf) : []),
    room: roomOf(inHand, await scene.told("stats"), scene.heard()),
    ...{ visibilityS, nowS },
  });
  const [[latest], [farthest]] = [late, beyond];
  return finding("late-tasks", null, {
    ...{ kind: "seen", unacked: count, overdue, visibilityS, isDefault, isTold, silent },
    looked: messages.length,
    withEta: messages.filter(({ etaS }) => etaS !== null).length,
    late: late.length,
    latest: latest?.task ?? null,
    latestS: latest === undefined ? 0 : nowS - (dueS(latest) ?? nowS),
    beyond: beyond.length,
    farthest: farthest?.task ?? null,
    farthestS: (farthest?.etaS ?? nowS) - nowS,
  });
}

/** Whether every worker has sent a heartbeat at or after this time, in milliseconds since the run began. */
async function areHeard(scene: Scene, ms: number): Promise<boolean> {
  return (await scene.nodes()).every((node) => (scene.spans().get(node)?.lastMs ?? 0) >= ms);
}
