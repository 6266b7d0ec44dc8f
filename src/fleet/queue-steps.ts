import type { QueueLength } from "../celery/queues.ts";
import { type FleetState, type NodeState, queueOf, type QueueState } from "./fleet-state.ts";
import { addTo } from "./ring.ts";

/** Records the lengths of queues. */
export function measured(state: FleetState, lengths: ReadonlyMap<string, QueueLength>, nowMs: number): void {
  for (const [name, { messages, own }] of lengths) {
    const queue = state.queues.get(name);
    if (queue === undefined) continue;
    queue.length = messages;
    if (messages !== null) addTo(queue.trend, messages);
    queue.nonemptyMs = (messages ?? 0) > 0 ? (queue.nonemptyMs ?? nowMs) : null;
    queue.ownNonemptyMs = (own ?? 0) > 0 ? (queue.ownNonemptyMs ?? nowMs) : null;
  }
}

/** Records which queues have been declared, by any client. Some of them may have no consumer. */
export function declared(state: FleetState, queues: readonly string[]): void {
  for (const queue of state.queues.values()) queue.isDeclared = false;
  for (const name of queues) {
    const queue = queueOf(state, name);
    if (queue !== null) queue.isDeclared = true;
  }
}

/**
 * From 5.7.0 on, kombu replaces a dead connection within 45 s. A node that has not fetched for longer does not recover.
 * In milliseconds.
 */
export const STALLED_MS = 60_000;

/** Messages wait in a queue, and a node does not fetch them. */
interface WaitingQueue {
  readonly queue: string;
  readonly waiting: number;
  readonly forMs: number;
}

/**
 * The queue that a node should fetch from but does not. Messages have waited in it for a minute, and in that time the
 * node ran no task and began none. Null: it fetches, or it may be full of tasks that wait for their rate limit. From
 * outside, nobody sees which worker holds a delivery.
 */
export function stalledQueue(state: FleetState, node: NodeState, nowMs: number): WaitingQueue | null {
  if (node.idleMs === null || state.unacked === null) return null;
  for (const name of node.queues) {
    const queue = state.queues.get(name);
    if (queue?.ownNonemptyMs === null || queue === undefined) continue;
    const forMs = nowMs - Math.max(queue.ownNonemptyMs, node.idleMs);
    if (forMs < STALLED_MS || mayBeFull(state.unacked, node, forMs)) continue;
    return { queue: name, waiting: queue.length ?? 0, forMs };
  }
  return null;
}

/**
 * The queue in which messages wait while a node says that it consumes nothing. The node has given it up. Or the node was
 * never seen to consume a queue, and no node consumes this one. Null: no message waits, or the node may run a task. Then
 * it may have been told to end after this task.
 */
export function givenUpQueue(state: FleetState, node: NodeState, nowMs: number): WaitingQueue | null {
  const { gaveUp } = node;
  if (gaveUp === null || node.idleMs === null) return null;
  for (const queue of state.queues.values()) {
    if (queue.ownNonemptyMs === null) continue;
    const mayBeIts =
      gaveUp.queues.length > 0 ? gaveUp.queues.includes(queue.name) : !isConsumed(state, queue);
    if (!mayBeIts) continue;
    const forMs = nowMs - Math.max(queue.ownNonemptyMs, gaveUp.atMs);
    return { queue: queue.name, waiting: queue.length ?? 0, forMs };
  }
  return null;
}

/** Whether a node that is not gone consumed it at the last look. */
function isConsumed({ lookedMs }: FleetState, { consumedMs }: QueueState): boolean {
  return consumedMs >= lookedMs;
}

/**
 * The node received the deliveries that it holds before it became idle, or soon after. So a younger delivery belongs to
 * another node.
 */
function mayBeFull(
  { messages, oldestS }: NonNullable<FleetState["unacked"]>,
  { prefetch, slots }: NodeState,
  forMs: number,
): boolean {
  if (messages < (prefetch ?? slots ?? 1)) return false;
  return oldestS === null || oldestS * 1_000 >= forMs / 2;
}
