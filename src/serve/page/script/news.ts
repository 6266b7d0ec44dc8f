import type { Fleet, Worker } from "./fleet.ts";
import { are, count } from "./words.ts";

/** The time between two announcements. A screen reader must have time to finish, and its user time for other things. */
const EVERY_MS = 10_000;

/**
 * Announcements for screen readers. They report that workers or the broker have changed their state, never a number.
 * Changes between two announcements come with the next one, unless they were undone.
 */
export function newsReader(say: (sentence: string) => void): (fleet: Fleet, nowMs: number) => void {
  let told: Fleet | null = null;
  let toldMs = -EVERY_MS;
  return (fleet, nowMs) => {
    if (told !== null && nowMs - toldMs < EVERY_MS) return;
    const sentences = told === null ? [] : whatChanged(told, fleet);
    if (told !== null && sentences.length === 0) return;
    told = fleet;
    if (sentences.length === 0) return;
    toldMs = nowMs;
    say(sentences.join(" "));
  };
}

function whatChanged(before: Fleet, now: Fleet): readonly string[] {
  const [was, is] = [before.workers, now.workers];
  if (was.broker.up !== is.broker.up)
    return [
      is.broker.up ? "The broker is up again." : `The broker is unavailable: ${is.broker.message ?? ""}.`,
    ];
  if (!is.broker.up) return [];
  const statusBefore = new Map(was.workers.map(({ node, status }) => [node, status]));
  const changed = is.workers.filter(({ node, status }) => {
    const old = statusBefore.get(node);
    return old === undefined ? status === "unhealthy" : old !== status;
  });
  return (["unhealthy", "unknown", "healthy"] as const).flatMap((status) =>
    sentence(
      status,
      changed.filter((worker) => worker.status === status),
    ),
  );
}

function sentence(status: string, workers: readonly Worker[]): readonly string[] {
  const [one, other] = workers;
  if (one === undefined) return [];
  if (other !== undefined)
    return [`${count(workers.length, "worker")} ${are(workers.length)} now ${status}.`];
  return [
    status === "healthy"
      ? `${one.node} is healthy again.`
      : `${one.node} is ${status}: ${one.reason}: ${one.message}.`,
  ];
}
