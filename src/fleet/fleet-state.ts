import type { BrokerFailure } from "../broker/failure.ts";
import type { TransportOptions } from "../celery/transport-options.ts";
import type { FleetVerdict } from "./fleet-view.ts";
import { type Ring, startRing } from "./ring.ts";

/**
 * All that is known of a watched fleet, in one value. The steps of this room bring it up to date by what was heard;
 * they read no clock and do not wait. They change it in place: 500 heartbeats a second would copy a table of 5,000
 * nodes as often. Times are milliseconds of `Host.now`, unless a name says otherwise.
 */
export interface FleetState {
  readonly nodes: Map<string, NodeState>;
  readonly queues: Map<string, QueueState>;
  /** Of those who are named, others are not kept; null: everybody is meant. */
  readonly meant: ReadonlySet<string> | null;
  readonly broker: {
    trouble: Trouble | null;
    /** Since when silence counts again: the end of the last trouble. */
    returnedMs: number;
    rttMs: number | null;
    reconnects: number;
  };
  readonly rounds: {
    done: number;
    failed: number;
    failedInARow: number;
    lastEndedMs: number | null;
    lastTookMs: number | null;
  };
  /** When all who are meant were pinged last. */
  pingedMs: number;
  /** When a heartbeat was heard last. */
  heardMs: number;
  /** When the last look ended. */
  lookedMs: number;
  /** Subscribers that have not answered, when nobody was silent: they refuse our questions and live. */
  deafSubscribers: number;
  nameless: number;
  unacked: { readonly messages: number; readonly oldestS: number | null } | null;
  beat: { answeredMs: number; missed: number } | null;
  replyLists: number | null;
  /** The different transport options that workers have told. */
  readonly transports: Map<string, TransportOptions>;
  readonly dropped: { readonly nodes: Set<string>; readonly queues: Set<string> };
}

export interface Trouble {
  readonly failure: BrokerFailure;
  readonly sinceMs: number;
  /** What has failed: the connection, our own PING on it, or a question to the workers. */
  readonly by: "line" | "ping" | "question";
}

export interface NodeState {
  readonly name: string;
  isLocal: boolean;
  /** Whether its process was found at the last look at processes. */
  isFound: boolean;
  /** Where it is in sight, the number of its process as it sees it itself; null: it was not seen. */
  localPid: number | null;
  readonly firstMs: number;
  heardMs: number;
  /** When it answered last, or its connections were seen to work. */
  answeredMs: number;
  /** How long the broker has been away since it was heard or answered last. */
  awayMs: number;
  /** Whether it sends heartbeats, as far as we know. */
  beats: boolean;
  /** Between two of them. */
  everyMs: number;
  /** Pings in a row that it has not answered, and when the first and the last one of these were sent. */
  missed: number;
  missedFromMs: number;
  missedMs: number;
  gone: { readonly how: "goodbye" | "vanished"; readonly atMs: number } | null;
  /** Processes that send heartbeats under its name; the first is the one that is shown. */
  processes: readonly ProcessState[];
  restarts: number;
  /** Answers to one ping that came in its name. */
  pongs: number;
  pingMs: number | null;
  slots: number | null;
  /** Deliveries that it holds at most; null: not told. */
  prefetch: number | null;
  queues: readonly string[];
  /** Since when it says that it consumes no queue, and the queues that it consumed before; null: it consumes some. */
  gaveUp: { readonly queues: readonly string[]; readonly atMs: number } | null;
  version: string | null;
  /** Since when nothing runs and nothing was begun, by its heartbeats; null: it is at work, or does not say. */
  idleMs: number | null;
  perS: number | null;
  readonly trend: Ring;
  /** By how many seconds our clock is ahead of its own. */
  clockAheadS: number;
  oldest: { readonly name: string; readonly startMs: number } | null;
  /** When it was asked for its pool, its queues, and its tasks; -Infinity: it has to be asked. */
  toldPoolMs: number;
  toldQueuesMs: number;
  toldTasksMs: number;
  memory: number | null;
  /** The check's verdict, of a worker in sight that was silent. */
  seen: SeenVerdict | null;
  /** What was said of it at the last look, and since when. */
  said: { readonly verdict: FleetVerdict; readonly sinceMs: number } | null;
}

export type SeenVerdict = Extract<FleetVerdict, { seen: unknown }>;

export interface ProcessState {
  readonly pid: number;
  readonly firstMs: number;
  lastMs: number;
  active: number | null;
  processed: number | null;
}

export interface QueueState {
  readonly name: string;
  /** Whether an option names it. */
  readonly isNamed: boolean;
  /** Whether the bindings of kombu tell of it. */
  isDeclared: boolean;
  /** When a node that is not gone consumed it last; -Infinity: never since we began. */
  consumedMs: number;
  length: number | null;
  readonly trend: Ring;
  nonemptyMs: number | null;
  /** Since when the list has messages that every consumer fetches from; null: it is empty, or not told. */
  ownNonemptyMs: number | null;
}

/** What is kept at most. */
export const MOST_NODES = 5_000;
export const MOST_QUEUES = 1_000;
export const TREND = 40;

/** A node that has vanished is shown for so long, and one that said goodbye is remembered: it may come back. */
export const FORGET_MS = 600_000;

/** A worker sends a heartbeat every two seconds: without three of them it is silent. */
export const SILENT_MS = 7_000;

/** Heartbeats that may be missing. */
const MISSING_BEATS = 3.5;

export function startFleet(nodes: readonly string[], queues: readonly string[], nowMs: number): FleetState {
  const state: FleetState = {
    nodes: new Map(),
    queues: new Map(),
    meant: nodes.length === 0 ? null : new Set(nodes),
    broker: { trouble: null, returnedMs: -Infinity, rttMs: null, reconnects: 0 },
    rounds: { done: 0, failed: 0, failedInARow: 0, lastEndedMs: null, lastTookMs: null },
    pingedMs: -Infinity,
    heardMs: -Infinity,
    lookedMs: nowMs,
    deafSubscribers: 0,
    nameless: 0,
    unacked: null,
    beat: null,
    replyLists: null,
    transports: new Map(),
    dropped: { nodes: new Set(), queues: new Set() },
  };
  for (const node of nodes) nodeOf(state, node, nowMs);
  for (const queue of queues) queueOf(state, queue, true);
  return state;
}

/** The record of a name, new if it was unknown; null: there is no room for it, or it is not meant. */
export function nodeOf(state: FleetState, name: string, nowMs: number): NodeState | null {
  const known = state.nodes.get(name);
  if (known !== undefined) return known;
  if (state.meant !== null && !state.meant.has(name)) return null;
  if (state.nodes.size >= MOST_NODES) {
    if (state.dropped.nodes.size < MOST_NODES) state.dropped.nodes.add(name);
    return null;
  }
  const node: NodeState = {
    name,
    isLocal: false,
    isFound: false,
    localPid: null,
    firstMs: nowMs,
    heardMs: -Infinity,
    answeredMs: -Infinity,
    awayMs: 0,
    beats: false,
    everyMs: 2_000,
    missed: 0,
    missedFromMs: -Infinity,
    missedMs: -Infinity,
    gone: null,
    processes: [],
    restarts: 0,
    pongs: 1,
    pingMs: null,
    slots: null,
    prefetch: null,
    queues: [],
    gaveUp: null,
    version: null,
    idleMs: null,
    perS: null,
    trend: startRing(TREND),
    clockAheadS: 0,
    oldest: null,
    toldPoolMs: -Infinity,
    toldQueuesMs: -Infinity,
    toldTasksMs: -Infinity,
    memory: null,
    seen: null,
    said: null,
  };
  state.nodes.set(name, node);
  return node;
}

/** The record of a name, new if it was unknown; null: there is no room for it. */
export function queueOf(state: FleetState, name: string, isNamed = false): QueueState | null {
  const known = state.queues.get(name);
  if (known !== undefined) return known;
  if (state.queues.size >= MOST_QUEUES) {
    if (state.dropped.queues.size < MOST_QUEUES) state.dropped.queues.add(name);
    return null;
  }
  const queue: QueueState = {
    name,
    isNamed,
    isDeclared: false,
    consumedMs: -Infinity,
    length: null,
    trend: startRing(TREND),
    nonemptyMs: null,
    ownNonemptyMs: null,
  };
  state.queues.set(name, queue);
  return queue;
}

/** When it was heard or answered last; -Infinity: never. */
export function evidenceMs({ heardMs, answeredMs }: NodeState): number {
  return Math.max(heardMs, answeredMs);
}

/**
 * It was heard, answered or seen to work, so earlier complaints no longer hold. What its process has shown outweighs
 * what another process says under its name.
 *
 * @param pid the number of the process as it sees itself; null: it does not tell
 */
export function showsLife(node: NodeState, pid: number | null): void {
  node.gone = null;
  node.awayMs = 0;
  if (node.localPid === null || node.localPid === pid) node.seen = null;
}

/** It has not answered what was asked at this time. */
export function missOne(node: NodeState, sentMs: number): void {
  if (node.missed === 0) node.missedFromMs = sentMs;
  node.missed++;
  node.missedMs = sentMs;
}

/** A worker whose loop turns answers a ping within this time, in milliseconds. */
const ANSWERS_WITHIN_MS = 1_000;

/**
 * Whether its heartbeats went on when it should have answered: it does not hear pings, or refuses to answer. One that was
 * heard only before that may have fallen silent.
 */
export function isDeaf(node: NodeState, nowMs: number): boolean {
  return node.missed > 0 && isHeard(node, nowMs) && node.heardMs - node.missedFromMs >= ANSWERS_WITHIN_MS;
}

/** How long it may be unheard until it is silent. */
export function silentAfterMs({ everyMs }: NodeState): number {
  return Math.max(SILENT_MS, MISSING_BEATS * everyMs);
}

/** Whether it beats, as far as a heartbeat could have been heard by now. */
export function isHeard(node: NodeState, nowMs: number): boolean {
  return nowMs - node.heardMs <= silentAfterMs(node);
}

/**
 * Whether the last sign of life is as recent as possible: a heartbeat or, for a node without heartbeats, its last
 * answer.
 */
export function isFresh(node: NodeState, nowMs: number): boolean {
  if (node.gone !== null) return false;
  if (isHeard(node, nowMs)) return true;
  return node.beats
    ? node.missed === 0 && nowMs - node.answeredMs <= silentAfterMs(node)
    : node.missed === 0 && node.answeredMs > -Infinity;
}

/** What is told of tasks by the process that is shown. */
export function shownProcess({ processes }: NodeState): ProcessState | null {
  return processes[0] ?? null;
}
