import type { BrokerFailure } from "../broker/failure.ts";
import type { TransportOptions } from "../celery/transport-options.ts";
import type { FleetVerdict } from "./fleet-view.ts";
import { type Ring, startRing } from "./ring.ts";

/**
 * Everything that is known about a watched fleet, in one value. The steps of this room update it by what was heard.
 * They read no clock and do not wait. They change it in place: otherwise 500 heartbeats a second would copy a table of
 * 5,000 nodes each time. Times are milliseconds of `Host.now`, unless a name says otherwise.
 */
export interface FleetState {
  readonly nodes: Map<string, NodeState>;
  readonly queues: Map<string, QueueState>;
  /** The named nodes. No others are kept; null: all nodes are meant. */
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
  /** When all meant nodes were last pinged. */
  pingedMs: number;
  /** When everybody was pinged last, so that all who are subscribed were counted. */
  countedMs: number;
  /** When a heartbeat was last heard. */
  heardMs: number;
  /** When the last look ended. */
  lookedMs: number;
  /** Subscribers that had not answered when no node was silent. They refuse our questions but live. */
  deafSubscribers: number;
  nameless: number;
  unacked: { readonly messages: number; readonly oldestS: number | null } | null;
  beat: { answeredMs: number; missed: number } | null;
  replyLists: number | null;
  /** The different transport options that workers have reported. */
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
  /** Whether the last look at processes found its process. */
  isFound: boolean;
  /** The number of its process as the process sees it, if it is in sight; null: it was not seen. */
  localPid: number | null;
  readonly firstMs: number;
  heardMs: number;
  /** When it was heard again after a silence, or for the first time. */
  wokeMs: number;
  /** When it last answered, or when its connections were last seen to work. */
  answeredMs: number;
  /** How long the broker has been away since the node was last heard or answered. */
  awayMs: number;
  /** Whether it sends heartbeats, as far as we know. */
  beats: boolean;
  /** The time between two heartbeats. */
  everyMs: number;
  /** How many pings in a row it has not answered, and when the first and the last of these were sent. */
  missed: number;
  missedFromMs: number;
  missedMs: number;
  gone: { readonly how: "goodbye" | "vanished"; readonly atMs: number } | null;
  /** Processes that send heartbeats under its name. The first one is shown. */
  processes: readonly ProcessState[];
  restarts: number;
  /** Answers to one ping that came in its name. */
  pongs: number;
  pingMs: number | null;
  slots: number | null;
  /** The most deliveries that it holds; null: not reported. */
  prefetch: number | null;
  queues: readonly string[];
  /** Since when it says that it consumes no queue, and the queues that it consumed before; null: it consumes some. */
  gaveUp: { readonly queues: readonly string[]; readonly atMs: number } | null;
  version: string | null;
  /** Since when no task has run or begun, by its heartbeats; null: it works, or does not say. */
  idleMs: number | null;
  perS: number | null;
  readonly trend: Ring;
  /** How many seconds our clock is ahead of its clock. */
  clockAheadS: number;
  oldest: { readonly name: string; readonly startMs: number } | null;
  /** When it was last asked for its pool, its queues, and its tasks; -Infinity: it must be asked. */
  toldPoolMs: number;
  toldQueuesMs: number;
  toldTasksMs: number;
  memory: number | null;
  /** The check's verdict, if the worker is in sight and was silent. */
  seen: SeenVerdict | null;
  /** The verdict of the last look, and since when it holds. */
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
  /** Whether kombu's bindings contain it. */
  isDeclared: boolean;
  /** When a node that is not gone last consumed it; -Infinity: never since we started. */
  consumedMs: number;
  length: number | null;
  readonly trend: Ring;
  nonemptyMs: number | null;
  /**
   * Since when the list that every consumer fetches from has messages; null: it is empty, or the broker does not say.
   */
  ownNonemptyMs: number | null;
}

/** The most that is kept. */
export const MOST_NODES = 5_000;
export const MOST_QUEUES = 1_000;
export const TREND = 40;

/**
 * How long a vanished node is shown. Also how long a node that said goodbye is remembered, because it may come back.
 */
export const FORGET_MS = 600_000;

export function startFleet(nodes: readonly string[], queues: readonly string[], nowMs: number): FleetState {
  const state: FleetState = {
    nodes: new Map(),
    queues: new Map(),
    meant: nodes.length === 0 ? null : new Set(nodes),
    broker: { trouble: null, returnedMs: -Infinity, rttMs: null, reconnects: 0 },
    rounds: { done: 0, failed: 0, failedInARow: 0, lastEndedMs: null, lastTookMs: null },
    pingedMs: -Infinity,
    countedMs: -Infinity,
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

/** The record of a name. A new name gets a new record; null: there is no room for it, or it is not meant. */
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
    wokeMs: -Infinity,
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

/** The record of a name. A new name gets a new record; null: there is no room for it. */
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
