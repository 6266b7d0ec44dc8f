import { isBeat } from "../celery/node-name.ts";
import type { Pool } from "../celery/pool.ts";
import type { TaskInHand } from "../celery/tasks.ts";
import type { TransportOptions } from "../celery/transport-options.ts";
import { type FleetState, FORGET_MS, type NodeState, nodeOf, queueOf } from "./fleet-state.ts";
import { evidenceMs, isFresh, isHeard, isDeaf, missOne, showsLife, silentAfterMs } from "./signs.ts";

/** The result of one ping. */
export interface PingRound {
  readonly sentMs: number;
  /** The nodes that were asked; null: all nodes. */
  readonly asked: readonly string[] | null;
  readonly subscribers: number;
  /** When each node's answer came, and how many answers came in its name. */
  readonly pongs: ReadonlyMap<string, { readonly atMs: number; readonly copies: number }>;
  /** The number of answers that cannot be read. */
  readonly unread: number;
}

/** The most different transport options that are kept. */
const MOST_TRANSPORTS = 16;

/** If a node answers for this long without a heartbeat, while others are heard, it sends no heartbeats. */
const SENDS_NONE_MS = 15_000;

/** Records which nodes have answered a ping and which have not. */
export function pinged(state: FleetState, round: PingRound, graceMs: number): void {
  state.pingedMs = round.sentMs;
  if (round.asked === null) state.countedMs = round.sentMs;
  for (const [name, { atMs, copies }] of round.pongs) {
    if (isBeat(name)) state.beat = { answeredMs: atMs, missed: 0 };
    else {
      const node = nodeOf(state, name, atMs);
      if (node !== null) ponged(state, node, atMs, round.sentMs, copies);
    }
  }
  if (round.asked === null && state.beat !== null && state.beat.answeredMs < round.sentMs)
    state.beat.missed++;
  const missing: NodeState[] = [];
  for (const node of state.nodes.values()) {
    const wasAsked = round.asked === null || round.asked.includes(node.name);
    if (!wasAsked || round.pongs.has(node.name)) continue;
    missOne(node, round.sentMs);
    missing.push(node);
  }
  countSubscribers(state, round, missing, graceMs);
}

/**
 * If an answer arrives this soon after a goodbye, it was given before the goodbye: answers lie in a list for a while.
 * In milliseconds.
 */
const GIVEN_BEFORE_MS = 5_000;

function wasGivenBefore({ gone }: NodeState, atMs: number): boolean {
  return gone?.how === "goodbye" && atMs - gone.atMs < GIVEN_BEFORE_MS;
}

function ponged(state: FleetState, node: NodeState, atMs: number, sentMs: number, copies: number): void {
  if (wasGivenBefore(node, atMs)) return;
  node.answeredMs = atMs;
  node.missed = 0;
  node.pingMs = atMs - sentMs;
  node.pongs = copies;
  if (node.beats && atMs - node.heardMs > SENDS_NONE_MS && atMs - state.heardMs < silentAfterMs(node))
    node.beats = false;
  showsLife(node, null);
}

/**
 * Uses the number of subscribers to judge nodes that have not answered. If no subscriber is left for them, they are
 * gone. If there are fewer subscribers left than silent nodes, we do not know which nodes they are. Then no node counts
 * as gone.
 */
function countSubscribers(
  state: FleetState,
  { subscribers, pongs, unread, asked, sentMs }: PingRound,
  missing: readonly NodeState[],
  graceMs: number,
): void {
  const answers = [...pongs.values()].reduce((sum, { copies }) => sum + copies, 0) + unread;
  const left = Math.max(0, subscribers - answers);
  // If only some nodes were named, other workers may be subscribed too.
  if (asked !== null && subscribers > 0) return;
  const isSettled = sentMs - state.broker.returnedMs >= graceMs;
  const heard = missing.filter((node) => isHeard(node, sentMs));
  const deaf = heard.filter((node) => isDeaf(node, sentMs));
  const silent = missing.filter(
    (node) => !isHeard(node, sentMs) && node.gone?.how !== "goodbye" && evidenceMs(node) > -Infinity,
  );
  if (silent.every(({ gone }) => gone !== null) && deaf.length === heard.length)
    state.deafSubscribers = Math.min(left, deaf.length);
  const spare = left - Math.min(state.deafSubscribers, deaf.length);
  // Beside the named workers nobody is watched.
  const isCounted = asked === null && state.meant === null;
  state.nameless = isCounted ? Math.max(0, left - silent.length - heard.length) : 0;
  for (const node of spare > 0 ? surplusOf(silent, spare, sentMs - graceMs - FORGET_MS) : silent) {
    // A worker whose process is in sight has not ended: it is cut off from its broker.
    if (node.isFound) continue;
    // Its connections may have ended with the broker's last run. It makes new ones when its task ends.
    if (!isSettled && evidenceMs(node) < state.broker.returnedMs) continue;
    node.gone ??= { how: "vanished", atMs: sentMs };
  }
}

/**
 * The nodes that have been silent for very long, if more nodes are silent than subscribers are left. Otherwise these
 * nodes would be shown for ever.
 */
function surplusOf(silent: readonly NodeState[], spare: number, beforeMs: number): readonly NodeState[] {
  const waiting = silent.filter(({ gone }) => gone === null);
  return waiting
    .toSorted((a, b) => evidenceMs(a) - evidenceMs(b))
    .slice(0, Math.max(0, waiting.length - spare))
    .filter((node) => evidenceMs(node) < beforeMs);
}

/** The part that we keep of a node's answer to `stats`. */
export interface ToldPool {
  readonly pool: Pool | null;
  readonly prefetch: number | null;
  readonly transport: TransportOptions | null;
}

export function toldPool(state: FleetState, name: string, told: ToldPool, nowMs: number): void {
  const node = state.nodes.get(name);
  if (node === undefined) return;
  node.slots = told.pool?.size ?? node.slots;
  node.prefetch = told.prefetch;
  answered(node, nowMs);
  if (told.transport === null || state.transports.size >= MOST_TRANSPORTS) return;
  state.transports.set(JSON.stringify(told.transport), told.transport);
}

export function toldQueues(state: FleetState, name: string, queues: readonly string[], nowMs: number): void {
  const node = state.nodes.get(name);
  if (node === undefined) return;
  if (queues.length === 0) node.gaveUp ??= { queues: node.queues, atMs: nowMs };
  else if (node.gaveUp !== null) {
    node.gaveUp = null;
    // The node had no time to fetch yet.
    if (node.idleMs !== null) node.idleMs = nowMs;
  }
  node.queues = queues;
  answered(node, nowMs);
  for (const queue of queues) queueOf(state, queue);
}

/** @param oldest null: no task runs */
export function toldTasks(
  state: FleetState,
  name: string,
  oldest: TaskInHand | null,
  nowMs: number,
  epochS: number,
): void {
  const node = state.nodes.get(name);
  if (node === undefined) return;
  answered(node, nowMs);
  if (oldest === null || oldest.startS === null) {
    node.oldest = null;
    return;
  }
  // The start time comes from the worker's clock, which may be wrong by hours.
  const ageMs = Math.max(0, (epochS - oldest.startS - node.clockAheadS) * 1_000);
  node.oldest = { name: oldest.name, startMs: nowMs - ageMs };
}

/** The node was asked and has not answered in time. */
export function unanswered(state: FleetState, name: string, nowMs: number): void {
  const node = state.nodes.get(name);
  if (node === undefined || node.missed > 0) return;
  missOne(node, nowMs);
}

function answered(node: NodeState, nowMs: number): void {
  if (wasGivenBefore(node, nowMs)) return;
  node.answeredMs = Math.max(node.answeredMs, nowMs);
  node.missed = 0;
  showsLife(node, null);
}

/** Whether a question to the node makes sense. A node that does not answer a ping answers nothing else. */
export function mayAnswer(node: NodeState, nowMs: number): boolean {
  return node.missed === 0 && isFresh(node, nowMs);
}

/** How many processes answer or send heartbeats under this name at the same time. */
export function copiesOf({ processes, pongs }: NodeState): number {
  const newestMs = processes.reduce((newest, { firstMs }) => Math.max(newest, firstMs), -Infinity);
  // If one was last heard before the newest began, the newest has replaced it.
  return Math.max(1, pongs, processes.filter(({ lastMs }) => lastMs >= newestMs).length);
}
