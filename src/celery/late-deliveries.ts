import { isCount } from "../numbers.ts";
import { asObject } from "../pidbox/envelope.ts";
import type { Unacked } from "./deliveries.ts";
import type { Heartbeat } from "./heartbeat.ts";
import { readPool } from "./pool.ts";
import { type InHand, tasksBegun } from "./tasks.ts";

/** In seconds. A task is late if it was due longer ago than this. Clocks differ. */
const LATE_S = 60;

/** Problems with deliveries that are not acknowledged. */
export interface Lateness {
  /** They are due and do not run. A task without an ETA is due when it is delivered. */
  readonly late: readonly Unacked[];
  /** They are due only after kombu delivers them again. */
  readonly beyond: readonly Unacked[];
}

/** When the task is due, in seconds since 1970. Null: its ETA has no time zone. */
export function dueS({ etaS, isTimed, deliveredS }: Unacked): number | null {
  return isTimed ? etaS : deliveredS;
}

/** Names a delivery. The same task may be delivered again, so its id is not enough. */
export function nameOf({ task, deliveredS }: Unacked): string {
  return `${task.id} ${deliveredS}`;
}

/** Whether a task may be unacknowledged: it runs and is acknowledged at its end, or it may wait for its rate limit. */
export type IsExcused = (task: Unacked["task"]) => boolean;

/** @param rated tasks with a rate limit. Null: not known */
export function excusedBy(inHand: InHand, rated: ReadonlyMap<string, unknown> | null): IsExcused {
  const running = new Set([...inHand.values()].flat().map(({ id }) => id));
  return ({ id, name }) => running.has(id) || rated?.has(name) === true;
}

/** Deliveries that do not run although nothing holds them back. */
export function waitingAmong(messages: readonly Unacked[], isExcused: IsExcused): readonly Unacked[] {
  return messages.filter(({ task, isTimed }) => !isTimed && !isExcused(task));
}

/**
 * How many messages without an ETA the workers may be running or keeping. This includes tasks begun after they said
 * what they run.
 *
 * @param stats their answers to `stats`
 * @param heard their newest heartbeats
 */
export function roomOf(
  inHand: InHand,
  stats: ReadonlyMap<string, unknown>,
  heard: ReadonlyMap<string, Heartbeat>,
): number {
  return [...inHand].reduce((sum, [node, tasks]) => {
    const answer = asObject(stats.get(node));
    const size = readPool(answer)?.size ?? null;
    const { active, processed } = heard.get(node) ?? {};
    // Compares both: between two tasks a slot is free for a moment.
    if (size !== null && Math.max(tasks.length, active ?? 0) < size) {
      return sum + Math.max(0, (processed ?? 0) - (tasksBegun(answer) ?? 0));
    }
    const most = answer?.["prefetch_count"];
    return sum + (isCount(most) && most > 0 ? most : Infinity);
  }, 0);
}

interface Known {
  readonly isExcused: IsExcused;
  /** Names of deliveries without an ETA that already waited at the first look, although nothing held them back. */
  readonly before: ReadonlySet<string>;
  /** See {@link roomOf}. */
  readonly room: number;
  readonly visibilityS: number;
  readonly nowS: number;
}

export function judgeUnacked(
  messages: readonly Unacked[],
  { isExcused, before, room, visibilityS, nowS }: Known,
): Lateness {
  const waiting = messages
    .filter(({ task }) => !isExcused(task))
    .sort((a, b) => (dueS(a) ?? 0) - (dueS(b) ?? 0));
  const isLate = (one: Unacked) => before.has(nameOf(one)) || nowS - (dueS(one) ?? nowS) > LATE_S;
  // Nothing shows which messages a worker keeps. It is assumed to keep the newest.
  const parked = new Set(waiting.filter(({ isTimed }) => !isTimed).slice(0, room === 0 ? undefined : -room));
  return {
    late: waiting.filter((one) => isLate(one) && (one.isTimed || parked.has(one))),
    beyond: waiting
      .filter(({ etaS, deliveredS }) => etaS !== null && etaS > nowS && etaS - deliveredS > visibilityS)
      .reverse(),
  };
}
