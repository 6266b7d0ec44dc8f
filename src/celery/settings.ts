import { asObject } from "../pidbox/envelope.ts";

/**
 * Every setting of Celery's that is read here, by its name of today, with its name of Celery 3
 * (celery/app/defaults.py, `old`), which every version up to 5.7 still takes.
 */
const OLD_NAMES = {
  task_time_limit: "CELERYD_TASK_TIME_LIMIT",
  task_soft_time_limit: "CELERYD_TASK_SOFT_TIME_LIMIT",
  task_default_queue: "CELERY_DEFAULT_QUEUE",
  worker_pool: "CELERYD_POOL",
  worker_concurrency: "CELERYD_CONCURRENCY",
  worker_max_tasks_per_child: "CELERYD_MAX_TASKS_PER_CHILD",
  worker_max_memory_per_child: "CELERYD_MAX_MEMORY_PER_CHILD",
  broker_url: "BROKER_URL",
  broker_transport_options: "BROKER_TRANSPORT_OPTIONS",
  result_backend: "CELERY_RESULT_BACKEND",
  result_backend_transport_options: "CELERY_RESULT_BACKEND_TRANSPORT_OPTIONS",
  beat_scheduler: "CELERYBEAT_SCHEDULER",
  beat_schedule: "CELERYBEAT_SCHEDULE",
  beat_schedule_filename: "CELERYBEAT_SCHEDULE_FILENAME",
  beat_max_loop_interval: "CELERYBEAT_MAX_LOOP_INTERVAL",
  /** Of redbeat, which looks for it by Celery's own rules and knows no old name. */
  redbeat_lock_key: "REDBEAT_LOCK_KEY",
} as const;

export type SettingName = keyof typeof OLD_NAMES;

/** The settings that a worker has told, whatever it calls them. */
export interface Settings {
  /** The value, and the name that the application gave it; null: the default holds. */
  readonly find: (name: SettingName) => { readonly value: unknown; readonly name: string } | null;
  /** The value; undefined: the default holds. */
  readonly get: (name: SettingName) => unknown;
}

/**
 * Reads an answer to `conf`: what an application sets, under the names that it uses. These are lower-case ones, those of
 * Celery 3, or upper-case ones behind a namespace (`app.config_from_object(…, namespace="CELERY")`); the answer does not
 * name the namespace, so it is the beginning that most settings have in common.
 *
 * @returns null where it is no answer, or says that it failed
 */
export function readSettings(conf: unknown): Settings | null {
  const all = asObject(conf);
  if (all === null || isFailure(all)) return null;
  const namespace = namespaceOf(Object.keys(all));
  const find: Settings["find"] = (name) => {
    // What the application has set at run time has no namespace and counts first (celery/utils/collections.py).
    const names = [
      name,
      ...(namespace === null ? [] : [`${namespace}_${name.toUpperCase()}`]),
      OLD_NAMES[name],
    ];
    const found = names.find((one) => Object.hasOwn(all, one) && all[one] !== null);
    return found === undefined ? null : { value: all[found], name: found };
  };
  return { find, get: (name) => find(name)?.value };
}

/** What a worker answers where the question fails (kombu/pidbox.py `Node.dispatch`). */
function isFailure(conf: Readonly<Record<string, unknown>>): boolean {
  return typeof conf["error"] === "string" && Object.keys(conf).length === 1;
}

const NAMES = Object.keys(OLD_NAMES) as readonly SettingName[];
const IS_OLD: ReadonlySet<string> = new Set(Object.values(OLD_NAMES));
const BY_TAIL: ReadonlyMap<string, SettingName> = new Map(NAMES.map((name) => [name.toUpperCase(), name]));

/** The usual one, of Celery's own documentation for Django. */
const USUAL_NAMESPACE = "CELERY";

/** The beginning in front of upper-case names of settings; null: none has one. */
function namespaceOf(names: readonly string[]): string | null {
  const counts = new Map<string, number>();
  for (const name of names) {
    if (IS_OLD.has(name)) continue;
    for (let at = name.indexOf("_"); at > 0; at = name.indexOf("_", at + 1)) {
      if (!BY_TAIL.has(name.slice(at + 1))) continue;
      const namespace = name.slice(0, at);
      counts.set(namespace, (counts.get(namespace) ?? 0) + 1);
    }
  }
  const rank = ([name, count]: readonly [string, number]) => count + (name === USUAL_NAMESPACE ? 0.5 : 0);
  const [first] = [...counts].sort((a, b) => rank(b) - rank(a));
  return first?.[0] ?? null;
}

/** A number of a setting, an option or a variable; 0 where it is none, or none above 0. */
export function positive(value: unknown): number {
  const number = typeof value === "string" || typeof value === "number" ? Number(value) : NaN;
  return Number.isFinite(number) && number > 0 ? number : 0;
}

/** Celery writes stars in place of what may be a secret: each name with KEY in it (celery/app/utils.py `HIDDEN_SETTINGS`). */
export function isMasked(value: unknown): boolean {
  return typeof value === "string" && /^\*+$/.test(value);
}
