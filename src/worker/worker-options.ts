/** Options of a `celery … worker`, by their long names without dashes; of one given twice the last counts. */
export interface Given {
  readonly values: ReadonlyMap<string, string>;
  readonly flags: ReadonlySet<string>;
}

/**
 * The options that take a value: long name → letter. Celery 4 took the global ones behind `worker` as well
 * (celery/bin/celery.py, celery/bin/worker.py, celery/bin/base.py `CeleryDaemonCommand`; 4.4.7 to 5.7.0).
 */
const VALUES: Readonly<Record<string, string>> = {
  app: "A",
  broker: "b",
  "result-backend": "",
  loader: "",
  config: "",
  workdir: "",
  hostname: "n",
  statedb: "S",
  loglevel: "l",
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
  logfile: "f",
  pidfile: "",
  uid: "",
  gid: "",
  umask: "",
  executable: "",
};

const LETTERS: ReadonlyMap<string, string> = new Map(
  Object.entries(VALUES).flatMap(([name, letter]) => (letter === "" ? [] : [[letter, name]])),
);

/** Options in front of `worker` that take none; an unknown one is taken to have a value. */
const GLOBAL_FLAGS = new Set(["no-color", "quiet", "version", "skip-checks", "help"]);

/**
 * The options of the words behind `celery`, by click's rules (`--opt value`, `--opt=value`, `-ovalue`, flags in
 * one word, no abbreviations, `-n=x` is the value `=x`); null where the sub-command is another than `worker`.
 */
export function readWorkerOptions(args: readonly string[]): Given | null {
  const values = new Map<string, string>();
  const set = (name: string, value: string | undefined): void => {
    if (value !== undefined) values.set(name, value);
  };
  const flags = new Set<string>();
  let isWorker = false;
  for (let at = 0; at < args.length; at++) {
    const word = args[at] ?? "";
    if (word === "--") {
      // What comes are settings, or the sub-command.
      if (isWorker) break;
      if (args[at + 1] !== "worker") return null;
    } else if (word.startsWith("--")) {
      const equals = word.indexOf("=");
      const name = word.slice(2, equals === -1 ? undefined : equals);
      if (equals !== -1) set(name, word.slice(equals + 1));
      else if (Object.hasOwn(VALUES, name)) set(name, args[++at]);
      else {
        flags.add(name);
        if (!isWorker && !GLOBAL_FLAGS.has(name) && args[at + 1] !== "worker") at++;
      }
    } else if (word.startsWith("-") && word.length > 1) {
      if (readLetters(word.slice(1), args[at + 1], set)) at++;
    } else if (!isWorker) {
      if (word !== "worker") return null;
      isWorker = true;
    }
  }
  return isWorker ? { values, flags } : null;
}

/** Reads `EBc4` of `-EBc4`; whether the word behind it was its value. */
function readLetters(
  letters: string,
  next: string | undefined,
  set: (name: string, value: string | undefined) => void,
): boolean {
  for (let at = 0; at < letters.length; at++) {
    const name = LETTERS.get(letters[at] ?? "");
    if (name === undefined) continue;
    const attached = letters.slice(at + 1);
    set(name, attached === "" ? next : attached);
    return attached === "";
  }
  return false;
}
