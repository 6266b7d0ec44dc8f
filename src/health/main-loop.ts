import {
  type Connections,
  databases,
  type Idle,
  isPollBesideAnother,
  polling,
  reissued,
  silentFor,
  withoutPolls,
} from "../worker/connections.ts";
import { haltOf } from "../worker/halt.ts";
import type { ClientRow } from "../broker/client-list.ts";
import type { Beats, Look, NodeEvidence, ProcessSight } from "./evidence.ts";
import { spanMs } from "./judgement.ts";

/** Whether a worker's main loop was seen to turn. */
export type MainLoop =
  | { readonly kind: "turns"; readonly shownBy: "polling" | "heartbeat" }
  /** `length`: null if no connection is left that a turning loop writes to. */
  | { readonly kind: "silent"; readonly length: Idle | null }
  | { readonly kind: "unclear"; readonly wanted: "second-look" | "heartbeat" };

/**
 * If a loop ends, its last BRPOP still waits until its own timeout of a second. This time is longer. In milliseconds.
 */
const STALE_POLL_MS = 1_200;

/** Heartbeats come every two seconds. In this time we would have heard one. In milliseconds. */
const LISTEN_MS = 3_000;

/**
 * A turning loop with heartbeats and BRPOP writes every two seconds. After this many seconds of silence it does not
 * turn.
 */
const LONG_SILENCE_S = 5;

/** A look in which the worker's own connections are known. */
export interface Sighting {
  readonly atMs: number;
  readonly rows: readonly ClientRow[];
}

export function sightings(looks: readonly Look[]): readonly Sighting[] {
  return looks.flatMap(({ atMs, connections }) =>
    connections?.kind === "known" ? [{ atMs, rows: connections.rows }] : [],
  );
}

/**
 * The last connections that the broker showed. A look that is still running, or that the deadline cut short, does not
 * replace them.
 */
export function lastConnections(looks: readonly Look[]): Connections | null {
  const told = looks.flatMap(({ connections }) => connections ?? []);
  const isCut = (one: Connections) => one.kind === "unknown" && one.because === "too-many-sockets";
  return told.findLast((one) => !isCut(one)) ?? told.at(-1) ?? null;
}

/** Its own heartbeats; null: no heartbeat was heard. */
export function ownBeats({ heartbeats }: NodeEvidence): Beats | null {
  return heartbeats.kind === "listened" ? heartbeats.own : null;
}

/**
 * Judges the main loop by its heartbeats and its own connections. It turns if a heartbeat is heard, if its BRPOP waits,
 * or if a BRPOP is sent between two looks. Any other write may come from the running task.
 */
export function mainLoop(node: NodeEvidence): MainLoop {
  const { looks, process } = node;
  const seen = sightings(looks);
  const first = seen[0];
  const last = seen.at(-1);
  const span = spanMs(seen);
  const beats = ownBeats(node) !== null;
  // A task may use a BRPOP of its own, on the same server. A loop that fetches sends its heartbeats too.
  const mayBeTasks =
    !beats && process.kind === "seen" && process.beats && seen.some(({ rows }) => isPollBesideAnother(rows));
  if (first !== undefined && last !== undefined && !mayBeTasks) {
    const polls = polling(last.rows) === "polls" && span >= STALE_POLL_MS;
    if (polls || reissued(first.rows, last.rows, span)) return { kind: "turns", shownBy: "polling" };
  }
  if (beats) return { kind: "turns", shownBy: "heartbeat" };
  if (last === undefined) return { kind: "unclear", wanted: "second-look" };

  const isTold = !hasBeenCut(looks) || writesOn(process, last.rows);
  const rows = mayBeTasks ? withoutPolls(last.rows) : last.rows;
  const length = isTold ? whileRunning(silentFor(rows, ageMsIn(looks)), looks) : null;
  if (length !== null && length.atLeastS >= LONG_SILENCE_S && (mayBeTasks || polling(rows) !== "polls"))
    return { kind: "silent", length };
  if (span < STALE_POLL_MS) return { kind: "unclear", wanted: "second-look" };
  return hasListened(node) ? { kind: "silent", length } : { kind: "unclear", wanted: "heartbeat" };
}

/** Whether the broker has closed connections of the worker and the worker has not noticed. */
export function hasBeenCut(looks: readonly Look[]): boolean {
  return looks.some(({ connections }) => connections?.kind === "known" && connections.closeWait);
}

/**
 * Whether a connection is left that a turning loop writes to. It is the connection for heartbeats. Without that one,
 * nothing shows the loop of a full worker. A worker has its BRPOP instead if it sends no heartbeats, or runs its tasks
 * in the loop itself.
 */
function writesOn(process: ProcessSight, rows: readonly ClientRow[]): boolean {
  // If no connection is left that fetches or listens, the others may belong to a result backend.
  if (databases(rows).length > 0 && rows.some(({ command }) => command === "publish")) return true;
  const isTold = process.kind === "seen" && (!process.beats || process.pool === "solo");
  return isTold && polling(rows) !== "absent";
}

/** The age of the process in the last look; infinite if it was not looked at. */
export function ageMsIn(looks: readonly Look[]): number {
  return looks.at(-1)?.process?.ageMs ?? Number.POSITIVE_INFINITY;
}

/**
 * Leaves out the time in which it could not write: it was stopped in an earlier look, or its cgroup was frozen at
 * times.
 */
function whileRunning(idle: Idle | null, looks: readonly Look[]): Idle | null {
  if (idle === null) return null;
  const halted = looks.findLast(({ process }) => haltOf(process) !== null);
  const last = looks.at(-1);
  const goesOnS = halted === undefined ? Number.POSITIVE_INFINITY : spanMs([halted, last ?? halted]) / 1_000;
  const frozenS = (last?.process?.frozenForMs ?? 0) / 1_000;
  const atMostS = Math.min(idle.atMostS, Math.floor(goesOnS));
  return { atLeastS: Math.min(atMostS, Math.max(0, Math.floor(idle.atLeastS - frozenS))), atMostS };
}

/** Whether a heartbeat would have been heard by now. If we may not listen: whether there was time for one. */
export function hasListened({ heartbeats, looks }: NodeEvidence): boolean {
  switch (heartbeats.kind) {
    case "not-listened":
      return false;
    case "refused":
      return spanMs(looks) >= LISTEN_MS;
    case "listened":
      return heartbeats.forMs >= LISTEN_MS;
    default:
      return heartbeats satisfies never;
  }
}
