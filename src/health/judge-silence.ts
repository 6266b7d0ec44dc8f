import { type Idle, polling } from "../worker/connections.ts";
import type { Look, NodeEvidence, ProcessSight } from "./evidence.ts";
import { deaf, type Judgement, open, silent, spanMs } from "./judgement.ts";
import { hasBeenCut, sightings } from "./main-loop.ts";
import type { Silence } from "./verdict.ts";

/** The main thread of a healthy worker wakes for its timers: on kombu 5.2 every five seconds. In milliseconds. */
const WAKES_MS = 4_200;

/** If a main thread waits for events in all looks over this time, it waits for nothing else. In milliseconds. */
const EVENTS_MS = 1_200;

type Seen = Extract<ProcessSight, { kind: "seen" }>;

/** What the broker shows of a silent worker. */
interface SilentOn {
  /** The full time has been waited for every ping. */
  readonly over: boolean;
  /** Whether one of its own connections listens for control messages. */
  readonly isSubscribed: boolean;
  /** Connections that listen for control messages, including its own; 0 if its own are not among them. */
  readonly subscribers: number;
  /** Deliveries of the database that no worker has acknowledged; null: not known. */
  readonly unacked: number | null;
}

/** Judges a worker whose connections are known and whose main loop is silent. */
export function judgeSilence(
  node: NodeEvidence,
  process: Seen,
  idle: Idle | null,
  { over, isSubscribed, subscribers, unacked }: SilentOn,
): Judgement {
  const about = { node: node.node, pid: process.pid };
  const { looks } = node;
  const verdict = silent(about, lengthOf(idle, node, process), isStopping(process, looks));
  if (verdict.reason !== "hung") return verdict;
  if (!over) return open("pong");
  const isMute = !isSubscribed || !process.beats;
  if (!isMute || verdict.isStopping || !mainIsFree(process, looks)) return verdict;
  // If all deliveries are acknowledged, no worker is full. So a worker whose queue has messages has stopped fetching.
  if (unacked === 0 && (node.waiting ?? 0) > 0) {
    const { forS: pausedS } = verdict;
    return {
      status: "unhealthy",
      reason: "catatonic",
      ...about,
      active: null,
      pausedS,
      waiting: node.waiting,
    };
  }
  // A healthy worker writes nothing if it is full, sends no heartbeats and has no remote control. But its main thread
  // wakes up. Between these times it waits in its event loop, longer than we may look.
  if (switchesRise(looks)) return deaf(about, { shownBy: "switches", subscribers, active: null });
  if (spanMs(looks) >= EVENTS_MS && looks.every((look) => look.process?.waitsForEvents === true))
    return deaf(about, { shownBy: "events", subscribers, active: null });
  return spanMs(looks) < WAKES_MS ? open("second-look") : verdict;
}

/**
 * Whether a worker has been told to end and waits for its tasks. It has given up its subscriptions. It keeps the
 * connection that it fetched by, idle. This holds for prefork, threads, gevent and eventlet, measured on 5.0.5 to
 * 5.7.0. With gevent on 5.7.0 the heartbeats go on. A solo worker gives up nothing before its task ends.
 */
export function isStopping(process: Seen, looks: readonly Look[]): boolean {
  const seen = sightings(looks);
  const hasListened = process.beats && (process.gossips || mainIsFree(process, looks));
  // If the broker has closed its connections, the worker has not given them up.
  if (!hasListened || seen.length === 0 || hasBeenCut(looks)) return false;
  return seen.every(({ rows }) => polling(rows) === "paused" && rows.every(({ patterns }) => patterns === 0));
}

/**
 * Whether the process gave up the processor of its own accord between two looks. This means that it waits and is woken.
 */
function switchesRise(looks: readonly Look[]): boolean {
  const counts = looks.flatMap(({ process }) => process?.voluntarySwitches ?? []);
  return (counts.at(-1) ?? 0) > (counts[0] ?? 0);
}

/** The seconds of the server and of the state file may differ by this much. */
const NOTED_SLACK_S = 2;

/**
 * The length of a silence. The state file knows of pauses and set clocks that the connections do not show. Suppose that
 * it knows none, and that the connections allow a silence on either side of the grace. Then the length is unknown.
 */
export function lengthOf(idle: Idle | null, node: NodeEvidence, process: Seen): Silence {
  const { silentSinceS } = node;
  if (idle === null || (silentSinceS !== null && silentSinceS < idle.atMostS - NOTED_SLACK_S))
    return unmeasured(node, process);
  const { graceMs } = process;
  const { atLeastS, atMostS } = idle;
  if (atMostS * 1_000 < graceMs) return { measured: "connections", forS: atMostS, graceMs };
  if (atLeastS * 1_000 >= graceMs) return { measured: "connections", forS: atLeastS, graceMs };
  return unmeasured(node, process);
}

/** A silence whose length the connections do not show. The state file may know when it began. */
export function unmeasured({ silentSinceS }: NodeEvidence, { graceMs }: Seen): Silence {
  const measured = silentSinceS === null ? "not" : "state-file";
  return { measured, forS: silentSinceS ?? 0, graceMs };
}

/** Whether its main thread runs no task, so that it wakes only while the worker is healthy. */
function mainIsFree(process: Seen, looks: readonly Look[]): boolean {
  return process.pool === "threads" || isFreeOfTasks(process, looks);
}

/** Whether tasks run in separate processes, so that no task can block the main process. */
export function isFreeOfTasks({ pool }: Seen, looks: readonly Look[]): boolean {
  const hasChildren = (looks.at(-1)?.process?.children ?? 0) > 0;
  return (pool === null || pool === "prefork" || pool === "processes") && hasChildren;
}
