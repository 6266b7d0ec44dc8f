/** Celery's two programs that run for a long time. */
export type Program = "worker" | "beat";

/**
 * The variable that click reads if the option is missing. Only Celery's own command reads it (celery/bin/celery.py
 * `main`, `auto_envvar_prefix`).
 */
export function variableOf(program: Program, option: string): string {
  return `CELERY_${program}_${option}`.toUpperCase().replaceAll("-", "_");
}

/** Options of `celery … worker` or `beat`, by long names without dashes. If one is given twice, the last counts. */
export interface OptionsGiven {
  readonly values: ReadonlyMap<string, string>;
  /** Long names, and letters of options without a known long name. */
  readonly flags: ReadonlySet<string>;
}

/** Long name → letter: options before the sub-command, and options that both programs take. */
const COMMON: Readonly<Record<string, string>> = {
  app: "A",
  broker: "b",
  "result-backend": "",
  loader: "",
  config: "",
  workdir: "",
  hostname: "n",
  loglevel: "l",
  logfile: "f",
  pidfile: "",
  uid: "",
  gid: "",
  umask: "",
  executable: "",
};

/**
 * The options that take a value: long name → letter. Celery 4 also took the global options after `worker`
 * (celery/bin/celery.py, celery/bin/worker.py, celery/bin/base.py `CeleryDaemonCommand`; 4.4.7 to 5.7.0).
 */
const VALUES: Readonly<Record<string, string>> = {
  ...COMMON,
  statedb: "S",
  optimization: "O",
  "prefetch-multiplier": "",
  concurrency: "c",
  pool: "P",
  "time-limit": "",
  "soft-time-limit": "",
  "max-tasks-per-child": "",
  "pool-start-method": "",
  "max-memory-per-child": "",
  queues: "Q",
  "exclude-queues": "X",
  include: "I",
  "heartbeat-interval": "",
  autoscale: "",
  "schedule-filename": "s",
  schedule: "",
  scheduler: "",
};

/** The options of `beat` that take a value (celery/bin/beat.py). */
const BEAT_VALUES: Readonly<Record<string, string>> = {
  ...COMMON,
  schedule: "s",
  scheduler: "S",
  "max-interval": "",
};

/** For programs whose command line is not known. */
export const NOTHING_GIVEN: OptionsGiven = { values: new Map(), flags: new Set() };

type Letters = ReadonlyMap<string, string>;

function lettersOf(values: Readonly<Record<string, string>>): Letters {
  return new Map(Object.entries(values).flatMap(([name, letter]) => (letter === "" ? [] : [[letter, name]])));
}

const LETTERS = lettersOf(VALUES);

/** Options before `worker` that take no value. An unknown option there is assumed to take one. */
const GLOBAL_FLAGS = new Set(["no-color", "quiet", "version", "skip-checks", "help"]);

/**
 * The options after `celery`, by click's rules: `--opt value`, `--opt=value`, `-ovalue`, several flags in one word, no
 * abbreviations, `-n=x` has the value `=x`. Null: the sub-command is not `worker`.
 */
export function readWorkerOptions(args: readonly string[]): OptionsGiven | null {
  return readOptions(args, "worker", VALUES, LETTERS);
}

/**
 * The options of `celery … beat`, which has other letters (celery/bin/beat.py). Null: the sub-command is not `beat`.
 */
export function readBeatOptions(args: readonly string[]): OptionsGiven | null {
  return readOptions(args, "beat", BEAT_VALUES, lettersOf(BEAT_VALUES));
}

/** The number of words that are searched for the sub-command. */
const MOST_WORDS = 100;

/** The sub-command after `celery`. Null: there is no sub-command. */
export function subCommand(args: readonly string[]): string | null {
  const first = args.slice(0, MOST_WORDS);
  const isCommand = (word: string, at: number): boolean =>
    !word.startsWith("-") && readOptions(first.slice(0, at + 1), word, VALUES, LETTERS) !== null;
  return first.find(isCommand) ?? null;
}

function readOptions(
  args: readonly string[],
  command: string,
  options: Readonly<Record<string, string>>,
  letters: Letters,
): OptionsGiven | null {
  const values = new Map<string, string>();
  const set = (name: string, value: string | undefined): void => {
    // The worker has two names for this option.
    const usual = command === "worker" && name === "schedule" ? "schedule-filename" : name;
    if (value !== undefined) values.set(usual, value);
  };
  const flags = new Set<string>();
  let isCommand = false;
  for (let at = 0; at < args.length; at++) {
    const word = args[at] ?? "";
    if (word === "--") {
      // After it come settings, or the sub-command.
      if (isCommand) break;
      if (args[at + 1] !== command) return null;
    } else if (word.startsWith("--")) {
      const equals = word.indexOf("=");
      const name = word.slice(2, equals === -1 ? undefined : equals);
      if (equals !== -1) set(name, word.slice(equals + 1));
      else if (Object.hasOwn(options, name)) set(name, args[++at]);
      else {
        flags.add(name);
        if (!isCommand && !GLOBAL_FLAGS.has(name) && args[at + 1] !== command) at++;
      }
    } else if (word.startsWith("-") && word.length > 1) {
      if (readLetters(word.slice(1), args[at + 1], set, letters, flags)) at++;
    } else if (!isCommand) {
      if (word !== command) return null;
      isCommand = true;
    }
  }
  return isCommand ? { values, flags } : null;
}

/** Reads the letters `EBc4` of `-EBc4`. Returns whether the next word was the value. */
function readLetters(
  word: string,
  next: string | undefined,
  set: (name: string, value: string | undefined) => void,
  letters: Letters,
  flags: Set<string>,
): boolean {
  for (let at = 0; at < word.length; at++) {
    const name = letters.get(word[at] ?? "");
    if (name === undefined) {
      flags.add(word[at] ?? "");
      continue;
    }
    const attached = word.slice(at + 1);
    set(name, attached === "" ? next : attached);
    return attached === "";
  }
  return false;
}
