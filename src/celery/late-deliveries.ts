import { isCount } from "../numbers.ts";
import { asObject } from "../pidbox/envelope.ts";
import type { Unacked } from "./deliveries.ts";
import type { Heartbeat } from "./heartbeat.ts";
import { readPool } from "./pool.ts";
import { type InHand, tasksBegun } from "./tasks.ts";

/** A task is late when its time has come for longer than this, in seconds; clocks differ. */
const LATE_S = 60;

/** What is wrong with messages that are delivered and not acknowledged. */
export interface Lateness {
  /** Their time has come: their ETA, or for those without one their delivery. */
  readonly late: readonly Unacked[];
  /** Their time comes after kombu delivers them again. */
  readonly beyond: readonly Unacked[];
}

/** When it may run; null: it does not say in which zone. */
export function dueS({ etaS, isTimed, deliveredS }: Unacked): number | null {
  return isTimed ? etaS : deliveredS;
}

/** A delivery: the same task may be delivered again. */
export function nameOf({ task, deliveredS }: Unacked): string {
  return `${task.id} ${deliveredS}`;
}

/** Whether a task is known to run, acknowledged late, or may wait for its rate. */
export type IsExcused = (task: Unacked["task"]) => boolean;

/** @param rated the tasks with a rate limit; null: not known */
export function excusedBy(inHand: InHand, rated: ReadonlyMap<string, unknown> | null): IsExcused {
  const running = new Set([...inHand.values()].flat().map(({ id }) => id));
  return ({ id, name }) => running.has(id) || rated?.has(name) === true;
}

/** The deliveries that wait for nothing. */
export function waitingAmong(messages: readonly Unacked[], isExcused: IsExcused): readonly Unacked[] {
  return messages.filter(({ task, isTimed }) => !isTimed && !isExcused(task));
}

/**
 * How many messages without an ETA the workers may have in hand, or may have begun since they said what they run.
 *
 * @param stats their answers
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
    // By both: between two tasks a slot is free for a moment.
    if (size !== null && Math.max(tasks.length, active ?? 0) < size) {
      return sum + Math.max(0, (processed ?? 0) - (tasksBegun(answer) ?? 0));
    }
    const most = answer?.["prefetch_count"];
    return sum + (isCount(most) && most > 0 ? most : Infinity);
  }, 0);
}

interface Known {
  readonly isExcused: IsExcused;
  /** Names of deliveries without an ETA that waited already when nothing kept them from being begun. */
  readonly before: ReadonlySet<string>;
  /** How many messages without an ETA workers may be running or keeping. */
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
  // Nothing shows which of them a worker keeps. The newest are taken, as many as it may keep.
  const parked = new Set(waiting.filter(({ isTimed }) => !isTimed).slice(0, room === 0 ? undefined : -room));
  return {
    late: waiting.filter((one) => isLate(one) && (one.isTimed || parked.has(one))),
    beyond: waiting
      .filter(({ etaS, deliveredS }) => etaS !== null && etaS > nowS && etaS - deliveredS > visibilityS)
      .reverse(),
  };
}
