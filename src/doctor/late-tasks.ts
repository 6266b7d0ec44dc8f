import { isCount } from "../numbers.ts";
import { readPool } from "../celery/pool.ts";
import { tasksBegun } from "../celery/tasks.ts";
import { asObject } from "../pidbox/envelope.ts";
import { type Looks, ratedTasks } from "./deliveries.ts";
import type { InHand } from "../celery/tasks.ts";
import type { Finding } from "./finding.ts";
import { dueS, judgeUnacked, nameOf } from "../celery/late-deliveries.ts";
import { finding } from "./levels.ts";
import type { Scene } from "./scene.ts";

/** A worker that begins nothing says so by a heartbeat so long, in milliseconds, after a delivery was seen. */
const HEARD_AFTER_MS = 1_000;

/** Deliveries that wait for nothing, and those whose time is wrong. */
export async function lateFinding(
  scene: Scene,
  looks: Looks | string,
  inHand: InHand,
  silent: number,
): Promise<Finding> {
  if (typeof looks === "string") return finding("late-tasks", null, { kind: "not-seen", because: looks });
  const { atMs, first, second } = looks;
  const running = new Set([...inHand.values()].flat().map(({ id }) => id));
  const rated = first.messages.length === 0 ? null : await ratedTasks(scene);
  const isExcused = ({ id, name }: { readonly id: string; readonly name: string }) =>
    running.has(id) || rated?.has(name) === true;
  const waiting = first.messages.filter(({ task, isTimed }) => !isTimed && !isExcused(task));
  const { messages, visibilityS, count, overdue, isDefault, isTold } = second;
  const isSure = second !== first && (await areHeard(scene, atMs + HEARD_AFTER_MS));
  const nowS = scene.host.epochSeconds();
  const { late, beyond } = judgeUnacked(messages, {
    isExcused,
    before: new Set(isSure ? waiting.map(nameOf) : []),
    room: await roomOf(scene, inHand),
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

/** Whether the heartbeats of all workers tell what they have begun until then. */
async function areHeard(scene: Scene, ms: number): Promise<boolean> {
  return (await scene.nodes()).every((node) => (scene.spans().get(node)?.lastMs ?? 0) >= ms);
}

/** How many messages without an ETA the workers may have in hand, or may have begun since they said what they run. */
async function roomOf(scene: Scene, inHand: InHand): Promise<number> {
  const stats = await scene.told("stats");
  return [...inHand].reduce((sum, [node, tasks]) => {
    const answer = asObject(stats.get(node));
    const size = readPool(answer)?.size ?? null;
    const heard = scene.heard().get(node);
    // By both: between two tasks a slot is free for a moment.
    if (size !== null && Math.max(tasks.length, heard?.active ?? 0) < size) {
      return sum + Math.max(0, (heard?.processed ?? 0) - (tasksBegun(answer) ?? 0));
    }
    const most = answer?.["prefetch_count"];
    return sum + (isCount(most) && most > 0 ? most : Infinity);
  }, 0);
}
