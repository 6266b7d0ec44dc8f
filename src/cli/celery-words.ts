/**
 * Celery's options and commands, and what replaces them here (celery/bin/celery.py, base.py, control.py, worker.py,
 * beat.py).
 */

/** Our option that replaces an option of Celery. */
export interface InPlace {
  readonly option: string;
  /** The value, if it is always the same. Otherwise Celery's value is used. */
  readonly value?: string;
  /** Celery's value is in seconds, without a unit. */
  readonly inSeconds?: true;
}

/** An option of Celery that nothing replaces. */
interface Needless {
  readonly why: string;
}

const APPLICATION: Needless = { why: "leave it out, as no application is loaded" };
const NODE: InPlace = { option: "node" };
const JSON_OUTPUT: InPlace = { option: "output", value: "json" };
const QUIET: InPlace = { option: "quiet" };
const TIMEOUT: InPlace = { option: "timeout", inSeconds: true };
const QUEUE: InPlace = { option: "queue" };
const LOG: InPlace = { option: "log" };
const SCHEDULE: InPlace = { option: "schedule" };
const PLAIN: Needless = { why: "leave it out; NO_COLOR=1 in the environment turns colours off" };
const LEVEL: Needless = { why: "leave it out; --verbose adds what was seen" };

export const CELERY_OPTIONS: Readonly<Record<string, InPlace | Needless>> = {
  "-A": APPLICATION,
  "--app": APPLICATION,
  "--loader": APPLICATION,
  "--config": APPLICATION,
  "--workdir": APPLICATION,
  "--skip-checks": APPLICATION,
  "-b": { option: "broker" },
  "-d": NODE,
  "--destination": NODE,
  "-n": NODE,
  "--hostname": NODE,
  "-t": TIMEOUT,
  "-j": JSON_OUTPUT,
  "--json": JSON_OUTPUT,
  "-q": QUIET,
  "-Q": QUEUE,
  "--queues": QUEUE,
  "-f": LOG,
  "--logfile": LOG,
  "-s": SCHEDULE,
  "--schedule-filename": SCHEDULE,
  "-C": PLAIN,
  "--no-color": PLAIN,
  "--list": { why: "celery-probe help inspect has the methods" },
  "-l": LEVEL,
  "--loglevel": LEVEL,
};

/** Options of other programs, and ours that may replace them. The first that the command has is suggested. */
export const FOREIGN_OPTIONS: readonly (readonly [foreign: RegExp, ours: readonly string[]])[] = [
  [/^--(?:bind|addr(?:ess)?|port|host)$/, ["listen", "broker"]],
  [/^--(?:(?:broker|redis)[-_])?(?:url|host|port|password)$/, ["broker"]],
  [/^-v$/, ["verbose", "version"]],
  [/^-V$/, ["version"]],
];

/** Celery's commands, and ours that show the same. */
export const CELERY_COMMANDS: Readonly<Record<string, string>> = {
  status: "inspect ping",
  events: "watch",
  list: "inspect active_queues",
};
