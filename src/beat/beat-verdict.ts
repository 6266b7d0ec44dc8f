import type { Candidate } from "../worker/candidates.ts";
import type { BeatProcess } from "./find-beats.ts";
import type { ScheduleFile } from "./schedule-file.ts";

/** What was seen of the beats in a container. Times are in seconds. */
export interface BeatEvidence {
  /** Null: processes cannot be seen. */
  readonly beats: readonly BeatProcess[] | null;
  /** If there is no beat: programs that may be a beat under another name. */
  readonly possible: readonly Pick<Candidate, "pid" | "words">[];
  /** The process that the pid file names, if it is not a beat. */
  readonly another: Pick<Candidate, "pid" | "words"> | null;
  /** Whether this is known to be the beat's own container, so that a missing beat is a dead one. */
  readonly isInside: boolean;
  /** About the only beat. Null: there is no beat, there are several, or its worker has ended without it. */
  readonly only: OnlyBeat | null;
}

export interface OnlyBeat {
  readonly ageS: number;
  /** The process that was stopped or frozen at two looks: the beat or its worker. Null: neither. */
  readonly haltedPid: number | null;
  /** For a worker with `-B`: its beat child has ended. `zombie` is the child's pid if it is a zombie. */
  readonly ended: { readonly zombie: number | null } | null;
  readonly schedule: ScheduleFile;
  /** Seconds since the file was written. Null: not known. */
  readonly writtenAgoS: number | null;
  readonly maxAgeS: number;
  /** Whether the beat answers pings. Null: its remote control is off, or it could not be asked. */
  readonly answers: boolean | null;
  readonly lock: RedbeatLock;
}

/** redbeat's lock in Redis. Of several beats only the lock's holder sends tasks. */
export type RedbeatLock =
  | { readonly kind: "not-asked" }
  | {
      readonly kind: "held";
      readonly key: string;
      /** Null: the lock never expires. */
      readonly ttlS: number | null;
      /** The lock of another beat, which asked for it before this beat was started. Null: no other beat holds it. */
      readonly others: Renewed | null;
    }
  /** `isNamed`: an option names this key. Otherwise the beat may use another key or no lock. */
  | { readonly kind: "gone"; readonly key: string; readonly isNamed: boolean };

/** When the lock was last renewed. Its beat renews it each time it wakes up. In seconds. */
export interface Renewed {
  /** Null: the lock lives longer than the known settings say. */
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

/** In seconds. Within this time a beat imports its application, opens its file and takes its lock. */
const START_S = 60;

/** Judges a beat. Certain problems come first. A beat that has just started may not have done everything yet. */
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

/** A live beat renews its lock within its longest sleep. It gets twice that time. */
function isLeft({ agoS, maxIntervalS }: Renewed): boolean {
  return agoS !== null && agoS > 2 * maxIntervalS;
}
