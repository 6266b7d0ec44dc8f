import { asObject } from "../pidbox/envelope.ts";
import { shortName } from "./deliveries.ts";
import { isMasked, positive, readSettings, type Settings } from "./settings.ts";

/** The longest sleep between two looks, and between two syncs, in seconds (celery/beat.py). */
export const MAX_INTERVAL_S = 300;
export const SYNC_EVERY_S = 180;

/** celery/app/defaults.py `beat_schedule_filename`. */
export const DEFAULT_SCHEDULE_FILE = "celerybeat-schedule";

/** redbeat/schedulers.py `RedBeatConfig`: the prefix `redbeat:`, and `:lock`. */
export const DEFAULT_LOCK = "redbeat::lock";

/** celery/beat.py `PersistentScheduler`, by its class and by its alias: the one that keeps its schedule in a file. */
export function hasScheduleFile(scheduler: string): boolean {
  return /^(?:celery\.beat[:.]PersistentScheduler|persistent)$/.test(scheduler);
}

/** redbeat/schedulers.py `RedBeatScheduler`: how long its lock lives without being renewed, in sleeps between two looks. */
export const LOCK_INTERVALS = 5;

/**
 * When the holder of a redis-py lock began to ask for it, in seconds since 1970. Its token tells: a UUID with the
 * time (redis/lock.py `acquire`; RFC 9562, version 1). Null: the token is another one.
 */
export function askedForS(token: string): number | null {
  const found = /^([0-9a-f]{8})([0-9a-f]{4})1([0-9a-f]{3})[89ab][0-9a-f]{15}$/.exec(token);
  if (found === null) return null;
  const [, low = "", middle = "", high = ""] = found;
  return Number(BigInt(`0x${high}${middle}${low}`) - GREGORIAN) / 1e7;
}

/** From 15 October 1582 to 1970, in tenths of a microsecond. */
const GREGORIAN = 0x01b21dd213814000n;

/** Where redbeat's lock is. */
export type RedbeatKey =
  /** redbeat's default. */
  | { readonly kind: "default" }
  | { readonly kind: "named"; readonly key: string }
  /** Elsewhere: Celery masks its name. */
  | { readonly kind: "hidden" };

/** @param key null: nobody has named it */
export function namedKey(key: string | null): RedbeatKey {
  return key === null ? { kind: "default" } : { kind: "named", key };
}

/** What the workers of a beat's application tell of its settings; null: nobody has set it. */
export interface BeatSettingsTold {
  readonly scheduler: string | null;
  readonly filename: string | null;
  readonly lock: RedbeatKey;
  readonly maxIntervalS: number | null;
  /** `redbeat_lock_timeout`. */
  readonly lockTimeoutS: number | null;
  /** Entries of `beat_schedule`, of the worker that has the most; null: no worker has told its settings. */
  readonly entries: number | null;
}

/** @param answers to `conf` */
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

/** The tasks that the entries of `beat_schedule` name, by entry, in answers to `conf`. */
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
