import { asNumber } from "../numbers.ts";
import { asObject } from "../pidbox/envelope.ts";
import { type Program, variableOf } from "./worker-options.ts";

/** The names of one setting. */
interface Names {
  /** The name in Celery 3, which versions up to 5.7 still accept (celery/app/defaults.py, `old`). */
  readonly old: string;
  /** The long name of the option for it, for each program. */
  readonly worker?: string;
  readonly beat?: string;
  /** Another variable that applications often read it from. */
  readonly guess?: string;
}

/** Celery's settings that are used here, by today's name. */
const SETTINGS = {
  task_time_limit: {
    old: "CELERYD_TASK_TIME_LIMIT",
    worker: "time-limit",
    guess: "CELERY_TASK_HARD_TIME_LIMIT",
  },
  task_always_eager: { old: "CELERY_ALWAYS_EAGER" },
  task_soft_time_limit: { old: "CELERYD_TASK_SOFT_TIME_LIMIT", worker: "soft-time-limit" },
  worker_pool: { old: "CELERYD_POOL", worker: "pool" },
  worker_concurrency: { old: "CELERYD_CONCURRENCY", worker: "concurrency" },
  worker_max_tasks_per_child: { old: "CELERYD_MAX_TASKS_PER_CHILD", worker: "max-tasks-per-child" },
  worker_max_memory_per_child: { old: "CELERYD_MAX_MEMORY_PER_CHILD", worker: "max-memory-per-child" },
  // Only its name is used: it helps to find the namespace.
  broker_url: { old: "BROKER_URL" },
  broker_transport_options: { old: "BROKER_TRANSPORT_OPTIONS" },
  result_backend: { old: "CELERY_RESULT_BACKEND" },
  result_backend_transport_options: { old: "CELERY_RESULT_BACKEND_TRANSPORT_OPTIONS" },
  beat_schedule: { old: "CELERYBEAT_SCHEDULE" },
  beat_scheduler: { old: "CELERYBEAT_SCHEDULER", worker: "scheduler", beat: "scheduler" },
  beat_schedule_filename: {
    old: "CELERYBEAT_SCHEDULE_FILENAME",
    worker: "schedule-filename",
    beat: "schedule",
  },
  beat_max_loop_interval: { old: "CELERYBEAT_MAX_LOOP_INTERVAL", beat: "max-interval" },
  // Settings of redbeat, which reads them by Celery's own rules.
  redbeat_lock_key: { old: "REDBEAT_LOCK_KEY" },
  redbeat_lock_timeout: { old: "REDBEAT_LOCK_TIMEOUT" },
} as const satisfies Readonly<Record<string, Names>>;

export type SettingName = keyof typeof SETTINGS;

const namesOf = (name: SettingName): Names => SETTINGS[name];

/** The settings that are used here: today's name and old name. */
export function settingsRead(): readonly (readonly [name: string, old: string])[] {
  return Object.entries<Names>(SETTINGS).map(([name, { old }]) => [name, old]);
}

/** The namespace in Celery's own documentation for Django. */
export const USUAL_NAMESPACE = "CELERY";

/** A setting's value and its source. */
export interface Setting {
  readonly value: unknown;
  /** `conf`: the worker's own answer. */
  readonly by: "option" | "variable" | "conf";
  /** `--time-limit`, `CELERY_WORKER_TIME_LIMIT`, or the name that the application uses. */
  readonly name: string;
}

/** How a worker or a beat was set up, as far as it is known. */
export interface Sources {
  readonly program: Program;
  /** Options of its command line, by their long names without dashes. */
  readonly options: ReadonlyMap<string, string>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Its own answer. Null: it was not asked, or did not answer. */
  readonly settings: Settings | null;
}

/** The settings in a worker's answer. Looks them up by today's names, whatever name the application uses. */
export interface Settings {
  /** Null: the setting is not set. */
  readonly find: (name: SettingName) => Setting | null;
  /** The value. Undefined: the setting is not set. */
  readonly get: (name: SettingName) => unknown;
}

/** The value of the command line's option, or else of its variable. Null: neither is set. */
export function instructed(name: SettingName, { program, options, environment }: Sources): Setting | null {
  const option = namesOf(name)[program];
  if (option === undefined) return null;
  const given = options.get(option);
  if (given !== undefined) return { value: given, by: "option", name: `--${option}` };
  const variable = variableOf(program, option);
  const value = environment[variable];
  return value ? { value, by: "variable", name: variable } : null;
}

/**
 * The value in the application's settings. Until the worker tells them, the value of a variable that an application may
 * read. Null: no value.
 */
export function configured(name: SettingName, sources: Sources): Setting | null {
  const { settings, environment } = sources;
  if (settings !== null) return settings.find(name);
  const read = instructed(name, { ...sources, options: new Map() })?.name;
  const variable = variablesOf(name, sources.program).find((one) => environment[one] && one !== read);
  return variable === undefined ? null : { value: environment[variable], by: "variable", name: variable };
}

/**
 * The value in effect: option, variable, then application (celery/app/base.py `Celery.either`). Not for time limits.
 */
export function settingOf(name: SettingName, sources: Sources): Setting | null {
  return instructed(name, sources) ?? configured(name, sources);
}

/** All variables that may set it: first click's own, then variables that an application may read. */
export function variablesOf(name: SettingName, program: Program = "worker"): readonly string[] {
  const { old, guess, [program]: option } = namesOf(name);
  const all = [
    ...(option === undefined ? [] : [variableOf(program, option)]),
    `${USUAL_NAMESPACE}_${name.toUpperCase()}`,
    ...(guess === undefined ? [] : [guess]),
    old,
  ];
  return [...new Set(all)];
}

/**
 * Reads an answer to `conf`: the application's settings, under the names that it uses. These are lower-case names,
 * names of Celery 3, or upper-case names with a namespace (`app.config_from_object(…, namespace="CELERY")`). The answer
 * does not name the namespace: it is the prefix that most of the settings share.
 *
 * @returns null if it is no answer, or says that the question failed
 */
export function readSettings(conf: unknown): Settings | null {
  const read = readConf(conf);
  if (read === null) return null;
  const { all, namespace } = read;
  const find: Settings["find"] = (name) => {
    const names = [
      // A name without a namespace comes first: the application set it at run time (celery/utils/collections.py).
      name,
      ...(namespace === null ? [] : [`${namespace}_${name.toUpperCase()}`]),
      namesOf(name).old,
    ];
    const found = names.find((one) => Object.hasOwn(all, one) && all[one] !== null);
    return found === undefined ? null : { value: all[found], by: "conf", name: found };
  };
  return { find, get: (name) => find(name)?.value };
}

interface Conf {
  readonly all: Readonly<Record<string, unknown>>;
  readonly namespace: string | null;
}

/** @returns null if it is no answer, or says that the question failed */
export function readConf(conf: unknown): Conf | null {
  const all = asObject(conf);
  return all === null || isFailure(all) ? null : { all, namespace: namespaceOf(Object.keys(all)) };
}

/** kombu/pidbox.py `Node.dispatch` sends this answer if a method raises an exception. */
function isFailure(conf: Readonly<Record<string, unknown>>): boolean {
  return typeof conf["error"] === "string" && Object.keys(conf).length === 1;
}

/** Names without their namespace. Some names of Celery 3 have the same ending, so these are left out. */
const ENDS: ReadonlySet<string> = new Set(Object.keys(SETTINGS).map((name) => name.toUpperCase()));
const OLD: ReadonlySet<string> = new Set(Object.values(SETTINGS).map(({ old }) => old));

function namespaceOf(names: readonly string[]): string | null {
  const counts = new Map<string, number>();
  for (const name of names) {
    if (OLD.has(name)) continue;
    for (let at = name.indexOf("_"); at > 0; at = name.indexOf("_", at + 1)) {
      if (!ENDS.has(name.slice(at + 1))) continue;
      const namespace = name.slice(0, at);
      counts.set(namespace, (counts.get(namespace) ?? 0) + 1);
    }
  }
  const rank = ([name, count]: readonly [string, number]) => count + (name === USUAL_NAMESPACE ? 0.5 : 0);
  const [first] = [...counts].sort((a, b) => rank(b) - rank(a));
  return first?.[0] ?? null;
}

/** The value as a number if it is above 0; otherwise 0. */
export function positive(value: unknown): number {
  const number = asNumber(value);
  return Number.isFinite(number) && number > 0 ? number : 0;
}

/**
 * Celery replaces a value with stars if its name contains KEY, PASS or the like (celery/app/utils.py
 * `HIDDEN_SETTINGS`).
 */
export function isMasked(value: unknown): boolean {
  return typeof value === "string" && /^\*+$/.test(value);
}
