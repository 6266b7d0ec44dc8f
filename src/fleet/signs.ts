import type { NodeState, ProcessState } from "./fleet-state.ts";

/** The signs of life of a node: what counts as one, and how old it may be. */

/** A worker sends a heartbeat every two seconds. If three of them are missing, it is silent. */
export const SILENT_MS = 7_000;

/** How many heartbeats may be missing. */
const MISSING_BEATS = 3.5;

/** When it was last heard or last answered; -Infinity: never. */
export function evidenceMs({ heardMs, answeredMs }: NodeState): number {
  return Math.max(heardMs, answeredMs);
}

/**
 * The node was heard, has answered or was seen to work. So earlier complaints no longer hold. But what its process has
 * shown outweighs what another process says under its name.
 *
 * @param pid the number of the process as it sees itself; null: it does not say
 */
export function showsLife(node: NodeState, pid: number | null): void {
  node.gone = null;
  node.awayMs = 0;
  if (node.localPid === null || node.localPid === pid) node.seen = null;
}

/** The node has not answered the question of this time. A question in its silence says nothing once that is over. */
export function missOne(node: NodeState, sentMs: number): void {
  if (sentMs < node.wokeMs) return;
  if (node.missed === 0) node.missedFromMs = sentMs;
  node.missed++;
  node.missedMs = sentMs;
}

/** A worker whose loop turns answers a ping within this time, in milliseconds. */
const ANSWERS_WITHIN_MS = 1_000;

/**
 * Whether its heartbeats went on when it should have answered. Then it does not hear pings, or refuses to answer. A
 * node that was heard only before that may have fallen silent.
 */
export function isDeaf(node: NodeState, nowMs: number): boolean {
  return node.missed > 0 && isHeard(node, nowMs) && node.heardMs - node.missedFromMs >= ANSWERS_WITHIN_MS;
}

/** After this time without a sign it counts as silent. */
export function silentAfterMs({ everyMs }: NodeState): number {
  return Math.max(SILENT_MS, MISSING_BEATS * everyMs);
}

/** Whether it sends heartbeats, as far as one could have been heard by now. */
export function isHeard(node: NodeState, nowMs: number): boolean {
  return nowMs - node.heardMs <= silentAfterMs(node);
}

/**
 * Whether its last sign of life is as recent as possible. This sign is a heartbeat or, for a node without heartbeats,
 * its last answer.
 */
export function isFresh(node: NodeState, nowMs: number): boolean {
  if (node.gone !== null) return false;
  if (isHeard(node, nowMs)) return true;
  return node.beats
    ? node.missed === 0 && nowMs - node.answeredMs <= silentAfterMs(node)
    : node.missed === 0 && node.answeredMs > -Infinity;
}

/** The process that is shown. What it says about tasks counts. */
export function shownProcess({ processes }: NodeState): ProcessState | null {
  return processes[0] ?? null;
}
