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

/** Where redbeat's lock is. */
export type RedbeatKey =
  /** Where redbeat has it by itself, as far as anybody knows. */
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
    entries: counts.length === 0 ? null : Math.max(...counts),
  };
}
