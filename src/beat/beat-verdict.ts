import type { Candidate } from "../worker/candidates.ts";
import type { BeatProcess } from "./find-beats.ts";
import type { ScheduleFile } from "./schedule-file.ts";

/** What was seen of the beats of a container. Times in seconds. */
export interface BeatEvidence {
  /** Null: processes cannot be seen. */
  readonly beats: readonly BeatProcess[] | null;
  /** Without a beat: programs that may be a beat under another name. */
  readonly possible: readonly Pick<Candidate, "pid" | "words">[];
  /** A process that the pid file names and that is not a beat. */
  readonly another: Pick<Candidate, "pid" | "words"> | null;
  /** Whether the container is known to be the beat's own, so that a missing beat is dead. */
  readonly isInside: boolean;
  /** Of the only one; null: there is no beat, or more than one, or its worker has left it. */
  readonly only: OnlyBeat | null;
}

export interface OnlyBeat {
  readonly ageS: number;
  /** Its process, or its worker's, that is stopped or frozen, in two looks; null: none is. */
  readonly haltedPid: number | null;
  /** For a worker with `-B`: whether its child has ended, and the child's number if it is a zombie. */
  readonly ended: { readonly zombie: number | null } | null;
  readonly schedule: ScheduleFile;
  /** How long ago the file was written; null: that is not known. */
  readonly writtenAgoS: number | null;
  readonly maxAgeS: number;
  /** Whether it answers pings; null: its remote control is off, or it could not be asked. */
  readonly answers: boolean | null;
  readonly lock: RedbeatLock;
}

/** What redbeat has in Redis: of several beats only the holder of the lock sends. */
export type RedbeatLock =
  | { readonly kind: "not-asked" }
  | {
      readonly kind: "held";
      readonly key: string;
      /** Null: it never ends. */
      readonly ttlS: number | null;
      /** Of a lock that another beat holds, which had asked for it before this one was started; null: of none. */
      readonly others: Renewed | null;
    }
  /** `isNamed`: an option names this key. Otherwise another key may be held, or none used. */
  | { readonly kind: "gone"; readonly key: string; readonly isNamed: boolean };

/** When a lock was renewed, which a beat does each time that it wakes; in seconds. */
export interface Renewed {
  /** Null: it lives longer than is known of its settings. */
  readonly agoS: number | null;
  /** The longest sleep of its beat. */
  readonly maxIntervalS: number;
}

export type BeatReason =
  | "running"
  | "starting"
  | "waiting"
  | "no-beat"
  | "ended"
  | "left-behind"
  | "several-beats"
  | "stopped"
  | "schedule-stale"
  | "schedule-deleted"
  | "schedule-missing"
  | "silent"
  | "lock-gone"
  | "lock-left"
  | "unrecognised"
  | "no-processes";

export interface BeatVerdict {
  readonly status: "healthy" | "unhealthy" | "unknown";
  readonly reason: BeatReason;
}

/** A beat opens its file and takes its lock within this time, in seconds, application imports included. */
const START_S = 60;

/** The verdict. What is wrong for sure comes first; a beat that has just started has not done everything yet. */
export function judgeBeat({ beats, possible, isInside, only }: BeatEvidence): BeatVerdict {
  if (beats === null) return { status: "unknown", reason: "no-processes" };
  if (beats.length === 0) {
    if (possible.length > 0) return { status: "unknown", reason: "unrecognised" };
    return isInside
      ? { status: "unhealthy", reason: "no-beat" }
      : { status: "unknown", reason: "no-processes" };
  }
  if (beats.every(({ isLeft }) => isLeft)) return { status: "unhealthy", reason: "left-behind" };
  if (only === null) return { status: "unhealthy", reason: "several-beats" };
  const { ageS, haltedPid, ended, schedule, writtenAgoS, maxAgeS, answers, lock } = only;
  if (haltedPid !== null) return { status: "unhealthy", reason: "stopped" };
  if (ended !== null && (ended.zombie !== null || ageS >= START_S)) {
    return { status: "unhealthy", reason: "ended" };
  }
  if (schedule.kind === "deleted") return { status: "unhealthy", reason: "schedule-deleted" };
  if (writtenAgoS !== null && writtenAgoS > maxAgeS && ageS > maxAgeS) {
    return { status: "unhealthy", reason: "schedule-stale" };
  }
  const isMissing = schedule.kind === "missing";
  const isGone = lock.kind === "gone" && lock.isNamed;
  if (ageS < START_S && (isMissing || answers === false || isGone || ended !== null)) {
    return { status: "healthy", reason: "starting" };
  }
  if (isMissing) return { status: "unhealthy", reason: "schedule-missing" };
  if (answers === false) return { status: "unhealthy", reason: "silent" };
  if (isGone) return { status: "unhealthy", reason: "lock-gone" };
  if (lock.kind === "held" && lock.others !== null) {
    return isLeft(lock.others)
      ? { status: "unhealthy", reason: "lock-left" }
      : { status: "healthy", reason: "waiting" };
  }
  return { status: "healthy", reason: "running" };
}

/** A beat that lives renews its lock within its longest sleep; as much again is given to it. */
function isLeft({ agoS, maxIntervalS }: Renewed): boolean {
  return agoS !== null && agoS > 2 * maxIntervalS;
}
