import type { Unacked } from "../celery/deliveries.ts";

/** A task is late when its time has come for longer than this, in seconds; clocks differ. */
const LATE_S = 60;

/** What is wrong with messages that are delivered and not acknowledged. */
export interface Lateness {
  readonly late: readonly Unacked[];
  /** Their time comes after kombu delivers them again. */
  readonly beyond: readonly Unacked[];
}

/** @param running ids of tasks that are known to run: acknowledged late, they are no longer waited for */
export function judgeUnacked(
  messages: readonly Unacked[],
  running: ReadonlySet<string>,
  visibilityS: number,
  nowS: number,
): Lateness {
  const timed = messages.filter(({ task }) => !running.has(task.id));
  return {
    late: timed
      .filter(({ etaS }) => etaS !== null && nowS - etaS > LATE_S)
      .sort((a, b) => (a.etaS ?? 0) - (b.etaS ?? 0)),
    beyond: timed
      .filter(({ etaS, deliveredS }) => etaS !== null && etaS > nowS && etaS - deliveredS > visibilityS)
      .sort((a, b) => (b.etaS ?? 0) - (a.etaS ?? 0)),
  };
}
