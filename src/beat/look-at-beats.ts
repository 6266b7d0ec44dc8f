import type { Host } from "../host.ts";
import { ageMs } from "../worker/age.ts";
import { CERTAIN_MS, haltOf } from "../worker/halt.ts";
import {
  askedForS,
  type BeatSettingsTold,
  DEFAULT_LOCK,
  LOCK_INTERVALS,
  MAX_INTERVAL_S,
  type RedbeatKey,
  SYNC_EVERY_S,
} from "../celery/beat.ts";
import { BEAT_NAME, nodeName } from "../celery/node-name.ts";
import { positive, settingOf } from "../celery/settings.ts";
import { variableOf } from "../celery/worker-options.ts";
import { beatChildOf } from "../worker/embedded-beat.ts";
import type { ProcFiles } from "../worker/proc-files.ts";
import { statOf } from "../worker/process-status.ts";
import { examine } from "../worker/process.ts";
import type { BeatEvidence, OnlyBeat, RedbeatLock, Renewed } from "./beat-verdict.ts";
import {
  type BeatProcess,
  findBeats,
  hasBegunWithout,
  isToAnswer,
  schedulerOf,
  sourcesOf,
} from "./find-beats.ts";
import { type BeatSettings, findScheduleFile, SLACK_S } from "./schedule-file.ts";

/** In milliseconds. A worker collects an ended child of its pool at once, and then also collects its ended beat. */
const REAPED_MS = 1_000;

/** Questions about a beat to its broker. */
export interface BeatBroker {
  /** Whether the node answers a ping. Null: it could not be asked, or it is connecting again. */
  readonly answers: (node: string) => Promise<boolean | null>;
  /** Reads a lock of redis-py. */
  readonly lock: (key: string) => Promise<HeldLock | "gone" | "unasked">;
  /** The beat's settings, as workers tell them. */
  readonly settings: () => Promise<BeatSettingsTold>;
}

export interface HeldLock {
  /** The time to live in seconds. Null: it lives forever. */
  readonly ttlS: number | null;
  /** The text that the holder stored. Null: it may not be read. */
  readonly token: string | null;
}

export interface BeatPlan {
  /** In seconds. The longest time that the file may stay unwritten. Null: Celery's own intervals decide. */
  readonly maxAgeS: number | null;
  readonly settings: BeatSettings;
  readonly lock: RedbeatKey;
  /**
   * The beat's pid from a pid file, and when that file was written, in seconds since 1970. Null: the beat is searched
   * for.
   */
  readonly named: { readonly pid: number; readonly writtenS: number | null } | null;
  readonly isInside: boolean;
}

/** Looks at the beats of this container. Asks the broker about the beat if there is only one. */
export async function lookAtBeats(
  host: Host,
  { maxAgeS, settings, lock, named, isInside }: BeatPlan,
  brokerOf: (beat: BeatProcess) => Promise<BeatBroker | null>,
): Promise<BeatEvidence> {
  const { proc } = host;
  const startedS = (startTicks: number) => host.epochSeconds() - ageMs(proc, startTicks) / 1_000;
  const wasThere = (startTicks: number) => startedS(startTicks) - SLACK_S <= (named?.writtenS ?? Infinity);
  const { beats, possible, another } = findBeats(proc, named === null ? null : { ...named, wasThere });
  const [beat, second] = beats ?? [];
  const seen = { beats, possible, another, isInside };
  if (beat === undefined || second !== undefined || beat.isLeft) return { ...seen, only: null };
  const began = startedS(beat.startTicks);
  const child = beat.isEmbedded ? beatChildOf(proc, beat.pid) : beat.pid;
  // In a worker with `-B` the child writes the file.
  const writer = { ...beat, pid: child ?? beat.pid };
  const schedule = findScheduleFile(proc, await host.files(), writer, settings, began);
  const broker = await brokerOf(beat);
  return {
    ...seen,
    only: {
      ageS: host.epochSeconds() - began,
      haltedPid: await haltedAmong([beat.pid, writer.pid], host),
      ended: child === null ? await endOf(beat, host) : null,
      schedule,
      writtenAgoS:
        schedule.kind === "there" && schedule.writtenS !== null
          ? host.epochSeconds() - schedule.writtenS
          : null,
      maxAgeS: maxAgeS ?? maxAgeFor(maxIntervalOf(beat) ?? MAX_INTERVAL_S),
      answers: broker === null || !isToAnswer(beat) ? null : await broker.answers(nodeOf(beat, host)),
      lock: broker === null ? { kind: "not-asked" } : await lockOf(beat, settings, lock, broker, began),
    },
  };
}

/** In seconds. A healthy beat with this longest sleep writes its file within half of this time. */
export function maxAgeFor(maxIntervalS: number): number {
  return 2 * Math.max(SYNC_EVERY_S, maxIntervalS);
}

/** Null: not known. */
function maxIntervalOf(beat: BeatProcess): number | null {
  return positive(settingOf("beat_max_loop_interval", sourcesOf(beat))?.value) || null;
}

/** The first process that is stopped or frozen at two looks. A signal or a debugger may stop one for a moment. */
async function haltedAmong(pids: readonly number[], { proc, pause }: Host): Promise<number | null> {
  const haltedNow = (among: readonly number[]) =>
    among.filter((pid) => {
      const stat = statOf(proc, pid);
      return stat !== null && haltOf(examine(proc, pid, stat.startTicks)) !== null;
    });
  const before = haltedNow(pids);
  if (before.length === 0) return null;
  await pause(CERTAIN_MS);
  return haltedNow(before)[0] ?? null;
}

/** Whether a worker's beat has ended. */
async function endOf(worker: BeatProcess, host: Host): Promise<OnlyBeat["ended"]> {
  const zombie = await endedChildOf(worker.pid, host);
  if (zombie !== null) return { zombie };
  return hasBegunWithout(host.proc, worker.pid, worker) ? { zombie: null } : null;
}

/** A child that has ended and that its parent does not collect. */
async function endedChildOf(pid: number, { proc, pause }: Host): Promise<number | null> {
  const before = zombiesOf(proc, pid);
  if (before.length === 0) return null;
  await pause(REAPED_MS);
  const after = zombiesOf(proc, pid);
  return before.find((child) => after.includes(child)) ?? null;
}

function zombiesOf(proc: ProcFiles, parent: number): readonly number[] {
  return (proc.pids() ?? []).filter((pid) => {
    const stat = statOf(proc, pid);
    return stat?.parent === parent && stat.state === "Z";
  });
}

function nodeOf({ given, environment }: BeatProcess, { hostname }: Host): string {
  const name = given.values.get("hostname") ?? environment?.get(variableOf("beat", "hostname")) ?? "";
  return nodeName(name, hostname, BEAT_NAME);
}

async function lockOf(
  beat: BeatProcess,
  settings: BeatSettings,
  lock: RedbeatKey,
  broker: BeatBroker,
  startedS: number,
): Promise<RedbeatLock> {
  const isNamed = lock.kind === "named";
  const isRedbeat = isNamed || /redbeat/i.test(schedulerOf(beat) ?? settings.scheduler ?? "");
  if (lock.kind === "hidden" || !isRedbeat) return { kind: "not-asked" };
  const key = isNamed ? lock.key : DEFAULT_LOCK;
  const held = await broker.lock(key);
  if (held === "unasked") return { kind: "not-asked" };
  if (held === "gone") return { kind: "gone", key, isNamed };
  const { ttlS, token } = held;
  const askedS = token === null ? null : askedForS(token);
  // The beat asked for its own lock after it was started. Both times are by the same clock then.
  const isOthers = askedS !== null && askedS < startedS;
  return { kind: "held", key, ttlS, others: isOthers ? await renewedBy(beat, ttlS, broker) : null };
}

/** Asks the workers: they know the application's settings. */
async function renewedBy(beat: BeatProcess, ttlS: number | null, broker: BeatBroker): Promise<Renewed> {
  const told = await broker.settings();
  const maxIntervalS = maxIntervalOf(beat) ?? told.maxIntervalS ?? MAX_INTERVAL_S;
  const agoS = (told.lockTimeoutS ?? LOCK_INTERVALS * maxIntervalS) - (ttlS ?? Infinity);
  return { agoS: agoS < 0 ? null : agoS, maxIntervalS };
}
