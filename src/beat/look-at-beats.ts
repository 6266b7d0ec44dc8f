import type { Host } from "../host.ts";
import { ageMs } from "../worker/age.ts";
import { CERTAIN_MS, haltOf } from "../worker/halt.ts";
import { DEFAULT_LOCK, MAX_INTERVAL_S, type RedbeatKey, SYNC_EVERY_S } from "../celery/beat.ts";
import { BEAT_NAME, nodeName } from "../celery/node-name.ts";
import { positive, settingOf } from "../celery/settings.ts";
import { variableOf } from "../celery/worker-options.ts";
import type { ProcFiles } from "../worker/proc-files.ts";
import { statOf } from "../worker/process-status.ts";
import { examine } from "../worker/process.ts";
import type { BeatEvidence, RedbeatLock } from "./beat-verdict.ts";
import { type BeatProcess, findBeats, isToAnswer, schedulerOf, sourcesOf } from "./find-beats.ts";
import { type BeatSettings, findScheduleFile } from "./schedule-file.ts";

/** A worker waits for a child of its pool that has ended at once, for its beat only at its own end. In milliseconds. */
const REAPED_MS = 1_000;

/** How a broker is asked about a beat; null where there is none. */
export interface BeatBroker {
  /** Whether the node answers a ping; null: it could not be asked, or is connecting anew. */
  readonly answers: (node: string) => Promise<boolean | null>;
  /** The time to live of a key in seconds; null: it has none. */
  readonly ttlS: (key: string) => Promise<number | null | "gone" | "unasked">;
}

/** What the probe was told. */
export interface BeatPlan {
  /** How long the file may be unwritten, in seconds; null: by Celery's own intervals. */
  readonly maxAgeS: number | null;
  readonly settings: BeatSettings;
  readonly lock: RedbeatKey;
  /** The number of the only beat; null: it is looked for. */
  readonly named: number | null;
  readonly isInside: boolean;
}

/** Looks at the beats of this container, and asks the broker about the only one. */
export async function lookAtBeats(
  host: Host,
  { maxAgeS, settings, lock, named, isInside }: BeatPlan,
  brokerOf: (beat: BeatProcess) => Promise<BeatBroker | null>,
): Promise<BeatEvidence> {
  const { proc } = host;
  const { beats, possible } = findBeats(proc, named);
  const [beat, second] = beats ?? [];
  if (beat === undefined || second !== undefined) return { beats, possible, isInside, only: null };
  const age = ageMs(proc, beat.startTicks) / 1_000;
  const schedule = findScheduleFile(proc, await host.files(), beat, settings, host.epochSeconds() - age);
  const broker = await brokerOf(beat);
  return {
    beats,
    possible,
    isInside,
    only: {
      ageS: age,
      isHalted: await isHeld(beat, host),
      endedChild: beat.isEmbedded ? await endedChildOf(beat.pid, host) : null,
      schedule,
      writtenAgoS:
        schedule.kind === "there" && schedule.writtenS !== null
          ? host.epochSeconds() - schedule.writtenS
          : null,
      maxAgeS: maxAgeS ?? maxAgeFor(maxIntervalOf(beat)),
      answers: broker === null || !isToAnswer(beat) ? null : await broker.answers(nodeOf(beat, host)),
      lock: broker === null ? { kind: "not-asked" } : await lockOf(beat, settings, lock, broker),
    },
  };
}

/** How long the file of a healthy beat may be unwritten at most that sleeps for so long, with as much again; in seconds. */
export function maxAgeFor(maxIntervalS: number): number {
  return 2 * Math.max(SYNC_EVERY_S, maxIntervalS);
}

function maxIntervalOf(beat: BeatProcess): number {
  return positive(settingOf("beat_max_loop_interval", sourcesOf(beat))?.value) || MAX_INTERVAL_S;
}

/** Whether it is stopped or frozen, and no signal or debugger holds it for a moment only. */
async function isHeld({ pid, startTicks }: BeatProcess, { proc, pause }: Host): Promise<boolean> {
  const isHeldNow = () => haltOf(examine(proc, pid, startTicks)) !== null;
  if (!isHeldNow()) return false;
  await pause(CERTAIN_MS);
  return isHeldNow();
}

/** A child that has ended and for which nobody waits. */
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
  { ttlS }: BeatBroker,
): Promise<RedbeatLock> {
  const isNamed = lock.kind === "named";
  const isRedbeat = isNamed || /redbeat/i.test(schedulerOf(beat) ?? settings.scheduler ?? "");
  if (lock.kind === "hidden" || !isRedbeat) return { kind: "not-asked" };
  const key = isNamed ? lock.key : DEFAULT_LOCK;
  const ttl = await ttlS(key);
  if (ttl === "unasked") return { kind: "not-asked" };
  return ttl === "gone" ? { kind: "gone", key, isNamed } : { kind: "held", key, ttlS: ttl };
}
