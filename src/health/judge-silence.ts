import { type Idle, polling } from "../worker/connections.ts";
import type { Look, NodeEvidence, ProcessSight } from "./evidence.ts";
import { deaf, type Judgement, open, silent, spanMs } from "./judgement.ts";
import { hasBeenCut, sightings } from "./main-loop.ts";
import type { Silence } from "./verdict.ts";

/** The main thread of a worker that is well wakes for its timers: on kombu 5.2 every five seconds. Milliseconds. */
const WAKES_MS = 4_200;

/** A main thread that waits for events in all looks over so long waits for nothing else, in milliseconds. */
const EVENTS_MS = 1_200;

type Seen = Extract<ProcessSight, { kind: "seen" }>;

/** What the broker says of a worker that is silent. */
interface SilentOn {
  /** Every ping has been waited for. */
  readonly over: boolean;
  /** Whether a connection of its own listens for control messages. */
  readonly isSubscribed: boolean;
  /** Connections that do, its own among them; 0 where none is its own. */
  readonly subscribers: number;
  /** Deliveries of the database that no worker has acknowledged; null: not known. */
  readonly unacked: number | null;
}

/** A worker whose connections are known, and whose main loop is silent. */
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
  // Without an unacknowledged delivery no worker is full: one that lets its queue wait has stopped fetching.
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
  // Full, and without heartbeats, a worker that is well and cannot be asked writes nothing; but its main thread wakes,
  // and waits in its event loop in between, longer than we may look.
  if (switchesRise(looks)) return deaf(about, { shownBy: "switches", subscribers, active: null });
  if (spanMs(looks) >= EVENTS_MS && looks.every((look) => look.process?.waitsForEvents === true))
    return deaf(about, { shownBy: "events", subscribers, active: null });
  return spanMs(looks) < WAKES_MS ? open("second-look") : verdict;
}

/**
 * Whether a worker has been asked to end and waits for its tasks. It has given up its subscriptions, and keeps the
 * connection that it fetched by, idle. So do prefork, threads, gevent and eventlet, measured on 5.0.5 to 5.7.0; with
 * gevent on 5.7.0 the heartbeats go on. A solo worker gives nothing up before its task ends.
 */
export function isStopping(process: Seen, looks: readonly Look[]): boolean {
  const seen = sightings(looks);
  const hasListened = process.beats && (process.gossips || mainIsFree(process, looks));
  // What the broker has closed it has not given up.
  if (!hasListened || seen.length === 0 || hasBeenCut(looks)) return false;
  return seen.every(({ rows }) => polling(rows) === "paused" && rows.every(({ patterns }) => patterns === 0));
}

/** Whether the process gave up the processor of its own accord between two looks: it waits, and is woken. */
function switchesRise(looks: readonly Look[]): boolean {
  const counts = looks.flatMap(({ process }) => process?.voluntarySwitches ?? []);
  return (counts.at(-1) ?? 0) > (counts[0] ?? 0);
}

/** The server's seconds and the state file's may differ by so many. */
const NOTED_SLACK_S = 2;

/**
 * How long a silence is. The state file knows of pauses and set clocks that the connections do not show; where it does
 * not either, and these allow a silence on both sides of the grace, nothing is known.
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

/** A silence whose length the connections do not tell; the state file may know since when. */
export function unmeasured({ silentSinceS }: NodeEvidence, { graceMs }: Seen): Silence {
  const measured = silentSinceS === null ? "not" : "state-file";
  return { measured, forS: silentSinceS ?? 0, graceMs };
}

/** Whether its main thread runs no task, so that it wakes only while it is well. */
function mainIsFree(process: Seen, looks: readonly Look[]): boolean {
  return process.pool === "threads" || isFreeOfTasks(process, looks);
}

/** Whether tasks run in separate processes, so that no task can block the main one. */
export function isFreeOfTasks({ pool }: Seen, looks: readonly Look[]): boolean {
  const hasChildren = (looks.at(-1)?.process?.children ?? 0) > 0;
  return (pool === null || pool === "prefork" || pool === "processes") && hasChildren;
}
