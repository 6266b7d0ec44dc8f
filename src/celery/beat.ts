import { asObject } from "../pidbox/envelope.ts";
import { shortName } from "./deliveries.ts";
import { isMasked, positive, readSettings, type Settings } from "./settings.ts";

/** In seconds: beat's longest sleep, and its time between two writes of the schedule (celery/beat.py). */
export const MAX_INTERVAL_S = 300;
export const SYNC_EVERY_S = 180;

/** celery/app/defaults.py `beat_schedule_filename`. */
export const DEFAULT_SCHEDULE_FILE = "celerybeat-schedule";

/** From redbeat/schedulers.py `RedBeatConfig`: the prefix `redbeat:`, and `:lock`. */
export const DEFAULT_LOCK = "redbeat::lock";

/** Whether this is celery/beat.py `PersistentScheduler`, by class or alias. It keeps its schedule in a file. */
export function hasScheduleFile(scheduler: string): boolean {
  return /^(?:celery\.beat[:.]PersistentScheduler|persistent)$/.test(scheduler);
}

/** The lifetime of redbeat's lock, as a multiple of the longest sleep (redbeat/schedulers.py `RedBeatScheduler`). */
export const LOCK_INTERVALS = 5;

/**
 * When the holder of a redis-py lock began to ask for it, in seconds since 1970. The lock's token is a UUID that
 * contains this time (redis/lock.py `acquire`; RFC 9562, version 1). Null: the token has another form.
 */
export function askedForS(token: string): number | null {
  const found = /^([0-9a-f]{8})([0-9a-f]{4})1([0-9a-f]{3})[89ab][0-9a-f]{15}$/.exec(token);
  if (found === null) return null;
  const [, low = "", middle = "", high = ""] = found;
  return Number(BigInt(`0x${high}${middle}${low}`) - GREGORIAN) / 1e7;
}

/** The time from 15 October 1582 to 1970, in units of 100 ns. */
const GREGORIAN = 0x01b21dd213814000n;

/** The key of redbeat's lock. */
export type RedbeatKey =
  /** The default key of redbeat. */
  | { readonly kind: "default" }
  | { readonly kind: "named"; readonly key: string }
  /** Another key, whose name Celery masks. */
  | { readonly kind: "hidden" };

/** @param key null: no setting names it */
export function namedKey(key: string | null): RedbeatKey {
  return key === null ? { kind: "default" } : { kind: "named", key };
}

/** The settings of a beat, as workers of the same application answered them. Null: the setting is not set. */
export interface BeatSettingsTold {
  readonly scheduler: string | null;
  readonly filename: string | null;
  readonly lock: RedbeatKey;
  readonly maxIntervalS: number | null;
  /** `redbeat_lock_timeout`. */
  readonly lockTimeoutS: number | null;
  /** The number of entries in `beat_schedule`, the largest of all workers. Null: no worker told its settings. */
  readonly entries: number | null;
}

/** @param answers answers to `conf` */
export function beatSettings(answers: Iterable<unknown>): BeatSettingsTold {
  const told = [...answers].map(readSettings).filter((one) => one !== null);
  const first = <T>(read: (settings: Settings) => T | null): T | null =>
    told.map(read).find((value) => value !== null) ?? null;
  const text = (name: Parameters<Settings["get"]>[0]) =>
    first((settings) => {
      const value = settings.get(name);
      return typeof value === "string" ? value : null;
    });
  const lockKey = text("redbeat_lock_key");
  const counts = told.map((settings) => {
    const schedule = settings.get("beat_schedule");
    return typeof schedule === "object" && schedule !== null ? Object.keys(schedule).length : 0;
  });
  return {
    scheduler: text("beat_scheduler"),
    filename: text("beat_schedule_filename"),
    lock: isMasked(lockKey) ? { kind: "hidden" } : namedKey(lockKey),
    maxIntervalS: first((settings) => positive(settings.get("beat_max_loop_interval")) || null),
    lockTimeoutS: first((settings) => positive(settings.get("redbeat_lock_timeout")) || null),
    entries: counts.length === 0 ? null : Math.max(...counts),
  };
}

/** Task names by entry of `beat_schedule`, from answers to `conf`. */
export function scheduledTasks(answers: Iterable<unknown>): ReadonlyMap<string, string> {
  const entries = [...answers].flatMap((one) =>
    Object.entries(asObject(readSettings(one)?.get("beat_schedule")) ?? {}),
  );
  return new Map(
    entries.flatMap(([entry, value]) => {
      const task = asObject(value)?.["task"];
      return typeof task === "string" ? [[shortName(entry), shortName(task)] as const] : [];
    }),
  );
}
