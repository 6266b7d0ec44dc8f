import type { BrokerFailure } from "../broker/failure.ts";
import { readPool } from "../celery/pool.ts";
import { queueNames } from "../celery/queues.ts";
import { readTasks, type TaskInHand } from "../celery/tasks.ts";
import { transportOptions } from "../celery/transport-options.ts";
import { describesSafely } from "../celery/versions.ts";
import type { Host } from "../host.ts";
import { isCount } from "../numbers.ts";
import { type Outcome, success } from "../outcome.ts";
import { asObject } from "../pidbox/envelope.ts";
import type { Question } from "../pidbox/message.ts";
import type { Session } from "../session/session.ts";
import { mayAnswer, toldPool, type ToldPool, toldQueues, toldTasks, unanswered } from "./answers.ts";
import type { FleetState, NodeState } from "./fleet-state.ts";
import { FULL_EVERY_MS, type RoundTimes } from "./ping.ts";
import { activeOf } from "./settle.ts";
import { ANSWER_MS } from "./line.ts";

/** A node is asked for its running tasks at most this often. */
const TASKS_EVERY_MS = 10_000;

/** How many nodes are asked at once for answers that may have kilobytes each. */
const ASKED_AT_ONCE = 100;

/** Asks new and restarted nodes for their pools and queues. */
export async function askNewcomers(
  session: Session,
  state: FleetState,
  host: Host,
): Promise<Outcome<void, BrokerFailure>> {
  const isDue = (node: NodeState) => node.toldPoolMs === -Infinity;
  return askInTurn(state, host, isDue, async (names) => {
    for (const name of names) {
      const node = state.nodes.get(name);
      if (node !== undefined) node.toldPoolMs = node.toldQueuesMs = host.now();
    }
    const pools = await ask(session, host, { method: "stats" }, names, poolOf);
    if (!pools.ok) return pools;
    for (const [name, { atMs, value }] of pools.value) toldPool(state, name, value, atMs);
    for (const name of names) if (!pools.value.has(name)) unanswered(state, name, host.now());
    return askQueues(session, state, host, [...pools.value.keys()]);
  });
}

/**
 * Asks again for queues, because the queues of a node can change while it runs. If messages wait in one of its queues,
 * somebody may have cancelled that queue. Each round asks some of these nodes, with one message.
 *
 * @param isWhole whether this is a round
 */
export async function askQueuesAgain(
  session: Session,
  state: FleetState,
  host: Host,
  { roundEveryMs }: RoundTimes,
  isWhole: boolean,
): Promise<Outcome<void, BrokerFailure>> {
  const nowMs = host.now();
  const waited = isWhole ? waitedFor(state, nowMs - roundEveryMs / 2) : new Set();
  const isDue = (node: NodeState) => nowMs - node.toldQueuesMs >= FULL_EVERY_MS || waited.has(node);
  return askInTurn(state, host, isDue, async (names) => {
    for (const name of names) {
      const node = state.nodes.get(name);
      if (node !== undefined) node.toldQueuesMs = host.now();
    }
    return askQueues(session, state, host, names);
  });
}

/**
 * Nodes that consume nothing, or that have queues with waiting messages. Idle nodes come first, then the ones that were
 * asked the longest ago.
 */
function waitedFor(state: FleetState, beforeMs: number): ReadonlySet<NodeState> {
  const rank = (node: NodeState) => (activeOf(node) === 0 ? 0 : 1);
  const nodes = [...state.nodes.values()].filter(
    ({ toldQueuesMs, queues, gaveUp }) =>
      toldQueuesMs < beforeMs && (gaveUp !== null || queues.some((queue) => hasWaiting(state, queue))),
  );
  return new Set(
    nodes.sort((a, b) => rank(a) - rank(b) || a.toldQueuesMs - b.toldQueuesMs).slice(0, ASKED_AT_ONCE),
  );
}

function hasWaiting({ queues }: FleetState, name: string): boolean {
  return (queues.get(name)?.ownNonemptyMs ?? null) !== null;
}

async function askQueues(
  session: Session,
  state: FleetState,
  host: Host,
  names: readonly string[],
): Promise<Outcome<void, BrokerFailure>> {
  const queues = await ask(session, host, { method: "active_queues" }, names, queueNames);
  if (!queues.ok) return queues;
  for (const [name, { atMs, value }] of queues.value) toldQueues(state, name, value ?? [], atMs);
  return success(undefined);
}

/** Asks working nodes how long their oldest task has run. A version that may send arguments unmasked is not asked. */
export async function askTasks(
  session: Session,
  state: FleetState,
  host: Host,
  times: RoundTimes,
): Promise<Outcome<void, BrokerFailure>> {
  const isDue = (node: NodeState) => areTasksDue(node, state, times, host.now());
  return askInTurn(state, host, isDue, async (names) => {
    for (const name of names) {
      const node = state.nodes.get(name);
      if (node !== undefined) node.toldTasksMs = host.now();
    }
    const tasks = await ask(session, host, { method: "active" }, names, oldestIn);
    if (!tasks.ok) return tasks;
    for (const [name, { atMs, value }] of tasks.value)
      toldTasks(state, name, value, atMs, host.epochSeconds());
    return success(undefined);
  });
}

function areTasksDue(
  node: NodeState,
  { nodes }: FleetState,
  { roundEveryMs }: RoundTimes,
  nowMs: number,
): boolean {
  const isSafe = describesSafely(node.version);
  // Every worker hears each message. If a fleet needs ten messages, it is asked ten times more rarely.
  const messages = Math.max(1, Math.ceil(nodes.size / ASKED_AT_ONCE));
  const everyMs = Math.max(TASKS_EVERY_MS * messages, node.oldest === null ? 0 : roundEveryMs);
  return isSafe && (activeOf(node) ?? 0) > 0 && nowMs - node.toldTasksMs >= everyMs;
}

/** Whether a node must be asked before the next round. */
export function isAnybodyDue(state: FleetState, times: RoundTimes, nowMs: number): boolean {
  for (const node of state.nodes.values()) {
    const isDue = node.toldPoolMs === -Infinity || areTasksDue(node, state, times, nowMs);
    if (isDue && mayAnswer(node, nowMs)) return true;
  }
  return false;
}

/**
 * The nodes that a question is due for, up to this many at once. The answers of a whole large fleet would fill our
 * memory.
 */
async function askInTurn(
  state: FleetState,
  host: Host,
  isDue: (node: NodeState) => boolean,
  askThem: (names: readonly string[]) => Promise<Outcome<void, BrokerFailure>>,
): Promise<Outcome<void, BrokerFailure>> {
  const due = [...state.nodes.values()].filter((node) => isDue(node) && mayAnswer(node, host.now()));
  for (let at = 0; at < due.length; at += ASKED_AT_ONCE) {
    const done = await askThem(due.slice(at, at + ASKED_AT_ONCE).map(({ name }) => name));
    if (!done.ok) return done;
  }
  return success(undefined);
}

/** The parts of the answers that are kept, each with the time when it came. */
async function ask<T>(
  session: Session,
  host: Host,
  question: Question,
  names: readonly string[],
  read: (result: unknown) => T,
): Promise<Outcome<ReadonlyMap<string, { readonly atMs: number; readonly value: T }>, BrokerFailure>> {
  if (names.length === 0) return success(new Map());
  const keep = (result: unknown) => ({ atMs: host.now(), value: read(result) });
  const replies = await session.ask(question, names, ANSWER_MS, undefined, keep);
  if (!replies.ok) return replies;
  return success(replies.value.results as ReadonlyMap<string, ReturnType<typeof keep>>);
}

function poolOf(stats: unknown): ToldPool {
  const prefetch = asObject(stats)?.["prefetch_count"];
  return {
    pool: readPool(stats),
    prefetch: isCount(prefetch) && prefetch > 0 ? prefetch : null,
    transport: transportOptions(undefined, stats),
  };
}

function oldestIn(answer: unknown): TaskInHand | null {
  return readTasks(answer)?.[0] ?? null;
}
