import { ratedAmong } from "../celery/tasks.ts";
import { soonest, type TransportOptions, transportsTold } from "../celery/transport-options.ts";
import { lookAtUnacked, type Unacknowledged } from "../session/unacked.ts";
import { type Scene, unanswered } from "./scene.ts";

/** Messages looked at, at either end. */
const LOOKED = 100;

/** Clocks differ, and kombu looks once in a hundred seconds (`unacked_restore_interval`). */
const OVERDUE_MARGIN_S = 60;

interface Deliveries extends Unacknowledged, Pick<TransportOptions, "visibilityS" | "isDefault"> {
  /** Whether a worker has told its options. */
  readonly isTold: boolean;
}

/** What is delivered and not acknowledged, or why it is not seen. */
export async function deliveriesOf(scene: Scene): Promise<Deliveries | string> {
  const told = transportsTold(await scene.told("conf"), await scene.told("stats"));
  const { unackedKey, unackedIndexKey, visibilityS, isDefault } = soonest(told);
  if (unackedKey === null || unackedIndexKey === null) return "the workers mask the names of the keys";
  const { prefix } = scene.check.plan.naming;
  const beforeS = scene.host.epochSeconds() - visibilityS - OVERDUE_MARGIN_S;
  const keys = [prefix + unackedKey, prefix + unackedIndexKey] as const;
  const seen = scene.session.ok ? await lookAtUnacked(scene.session.value.send, keys, beforeS, LOOKED) : null;
  if (seen === null) return unanswered(scene.deadline);
  if (typeof seen === "string") return `${seen} may not be read`;
  return { ...seen, visibilityS, isDefault, isTold: told.length > 0 };
}

export interface Looks {
  /** When the first was taken, in milliseconds since the run began. */
  readonly atMs: number;
  readonly first: Deliveries;
  /** The first itself, where that saw nothing, or there was no second. */
  readonly second: Deliveries;
}

/** Two looks at what is delivered, or why it is not seen. */
export async function twoLooks(scene: Scene): Promise<Looks | string> {
  const atMs = scene.host.now();
  const first = await deliveriesOf(scene);
  if (typeof first === "string") return first;
  if (first.messages.length === 0) return { atMs, first, second: first };
  await scene.observed();
  const second = await deliveriesOf(scene);
  return { atMs, first, second: typeof second === "string" ? first : second };
}

/** The tasks that a worker may hold back for their rate, and how many may begin in an hour; null: no worker said. */
export async function ratedTasks(
  scene: Scene,
  isMeant: (node: string) => boolean = () => true,
): Promise<ReadonlyMap<string, number> | null> {
  const told = [...(await scene.told("registered"))].filter(([node]) => isMeant(node));
  return told.length === 0 ? null : ratedAmong(told.map(([, answer]) => answer));
}
