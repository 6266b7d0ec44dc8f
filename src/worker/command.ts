import { NOTHING_GIVEN, type OptionsGiven, readWorkerOptions, subCommand } from "../celery/worker-options.ts";

/** What a worker's command line says; null: it does not say it. */
export interface WorkerCommand extends OptionsGiven {
  /** The value of `-n/--hostname`, unexpanded. */
  readonly name: string | null;
  /** The full node name, if setproctitle has written it into the title. */
  readonly node: string | null;
  readonly broker: string | null;
}

/**
 * The kind of program that a command line starts.
 *
 * - `main`: a worker's main process. It is uncertain if other Python code comes before Celery's. `byCelery`: started by
 *   Celery's own program and not by an application's `app.start()`.
 * - `child`: a process that Celery's pool has started.
 * - `python`: it may call `worker_main()`.
 * - `another`: a known program that is not a worker.
 * - `other`: an unknown program.
 */
export type Program =
  | {
      readonly kind: "main";
      readonly command: WorkerCommand;
      readonly certain: boolean;
      readonly byCelery: boolean;
    }
  | { readonly kind: "child"; readonly node: string | null }
  | { readonly kind: "python" }
  | { readonly kind: "another"; readonly what: "beat" | "flower" | null }
  | { readonly kind: "other" };

/** Used if we do not know how the worker was started. */
export const UNKNOWN_COMMAND: WorkerCommand = { ...NOTHING_GIVEN, name: null, node: null, broker: null };

const OTHER: Program = { kind: "other" };
const PYTHON: Program = { kind: "python" };

const BEAT: Program = { kind: "another", what: "beat" };
const FLOWER: Program = { kind: "another", what: "flower" };
const ANOTHER: Program = { kind: "another", what: null };

/** Python programs that start workers or talk to them, but are not workers. */
const NO_WORKERS = new Set([
  "supervisord",
  "supervisorctl",
  "watchmedo",
  "circusd",
  "honcho",
  "celery-exporter",
  "celery_exporter",
  "celery-prometheus-exporter",
]);

/** The commands of `celery` besides `worker` (celery/bin/celery.py, 4.x and 5.x); an application may add its own. */
const COMMANDS = new Set(
  (
    "amqp call control events graph help inspect list logtool migrate multi purge report result shell status " +
    "upgrade"
  ).split(" "),
);

/**
 * Recognises a worker by the text of /proc/N/cmdline. The text is words that each end with a NUL, or one title padded
 * with NULs. The rules come from Python's command line, click, and celery/bin/celery.py and worker.py, 4.x and 5.x.
 */
export function readCommandLine(text: string): Program {
  // Nearly every process of a machine ends here and costs two searches.
  if (!/celery|python|pypy/.test(text)) return OTHER;
  if (text.startsWith("[celery")) return readTitle(text);
  const [interpreter = "", ...args] = wordsOf(text);
  if (basename(interpreter) === "celery") return readCelery(args);
  return isPython(interpreter) ? readPython(args) : OTHER;
}

/**
 * The name of a program that may be a worker, so that people recognise it: the interpreter and what it runs. The name
 * ends before the first option, assignment or URL, because these may hold passwords. A title that a program has given
 * itself is one word with blanks in it.
 */
export function programWords(text: string): string {
  const given = wordsOf(text);
  const [title, ...more] = given.filter((word) => word !== "");
  if (title !== undefined && more.length === 0) return untilSecret(title.split(/\s+/)).join(" ");
  const [interpreter = "", ...args] = given;
  const { what, program, rest } = splitPython(args);
  const mark = what === "module" ? ["-m"] : what === "code" ? ["-c", "…"] : [];
  const words = what === "code" ? [] : untilSecret([program, ...rest]);
  return [basename(interpreter), ...mark, ...words].join(" ").trim();
}

/** The words before the first one that may hold a secret or may be followed by one. */
function untilSecret(words: readonly string[]): readonly string[] {
  const end = words.findIndex((word) => /^-|:\/\/|=/.test(word) || holdsLogin(word));
  return end === -1 ? words : words.slice(0, end);
}

/** Whether an `@` comes after a colon, as in `user:password@host`. */
function holdsLogin(word: string): boolean {
  const colon = word.indexOf(":");
  return colon !== -1 && word.lastIndexOf("@") > colon;
}

/**
 * Reads a title such as `[celeryd: NODE:PROCESS] INFO (ARGS)`, which a worker has. Its pool processes have names other
 * than MainProcess. Every other title from Celery is the title of a beat or a monitor (celery/platforms.py
 * `set_mp_process_title`, celery/apps/worker.py `set_process_status`, the same from 4.0 to 5.7.0).
 */
function readTitle(text: string): Program {
  const title = text.replace(/(?<!\0)\0+$/, "");
  const found = /^\[celeryd(?:: (.*?))?:([A-Za-z]\w*(?:-[\d:]+)?)\](?: |$)/s.exec(title);
  // A worker's title may be cut off where its space ended.
  if (found === null)
    return title.startsWith("[celery beat]") ? BEAT : title.startsWith("[celeryd") ? OTHER : ANOTHER;
  const [whole, node = null, name] = found;
  if (name !== "MainProcess") return { kind: "child", node };
  // The arguments have no quotes. If the title's space ended there, the text after the last blank may be half a word.
  const bracket = title.indexOf("(", whole.length);
  const said = bracket === -1 ? "" : title.slice(bracket + 1);
  const words = said.replace(/\)$/, "").split(" ");
  if (bracket !== -1 && !said.endsWith(")")) words.pop();
  const given = readWorkerOptions(words);
  return {
    kind: "main",
    command: { ...(given === null ? UNKNOWN_COMMAND : commandOf(given)), node },
    certain: true,
    byCelery: true,
  };
}

function readPython(args: readonly string[]): Program {
  const { what, program, rest } = splitPython(args);
  if (what === "none") return OTHER;
  if (what === "code") return readCode(program);
  const name = basename(program);
  if ((what === "module" ? program : name) === "flower") return FLOWER;
  if (NO_WORKERS.has(what === "module" ? program.slice(program.lastIndexOf(".") + 1) : name)) return ANOTHER;
  const isCelery =
    what === "module"
      ? program === "celery" || program === "celery.__main__"
      : name === "celery" || program.endsWith("/celery/__main__.py");
  if (isCelery) return readCelery(rest);
  // An application's own `python -m proj.celery worker`, which calls `app.start()`.
  const isApp = what === "module" ? program.endsWith(".celery") : name === "celery.py";
  const starts = isApp ? [{ start: rest, byCelery: false }] : [];
  // `-m debugpy … -m celery worker`, `-m coverage run /venv/bin/celery worker`; `manage.py celery worker`.
  for (const [at, word] of rest.entries()) {
    if (basename(word) !== "celery") continue;
    starts.push({ start: rest.slice(at + 1), byCelery: word !== "celery" || rest[at - 1] === "-m" });
  }
  for (const { start, byCelery } of starts) {
    const given = readWorkerOptions(start);
    if (given !== null) return { kind: "main", command: commandOf(given), certain: false, byCelery };
  }
  return PYTHON;
}

/** Reads the code of a command line. The helper processes of billiard are never a main process. */
function readCode(code: string): Program {
  if (code.startsWith("from billiard.")) return { kind: "child", node: null };
  // A spawned process may be a worker. The trackers and the forking server are not workers, but forks of that server
  // look like it.
  return /^from multiprocessing\.(?:resource|semaphore)_tracker /.test(code) ? ANOTHER : PYTHON;
}

function readCelery(args: readonly string[]): Program {
  const given = readWorkerOptions(args);
  if (given !== null) return { kind: "main", command: commandOf(given), certain: true, byCelery: true };
  const command = subCommand(args);
  if (command === "beat") return BEAT;
  if (command === "flower") return FLOWER;
  return command !== null && COMMANDS.has(command) ? ANOTHER : OTHER;
}

function commandOf(given: OptionsGiven): WorkerCommand {
  const value = (name: string): string | null => given.values.get(name) ?? null;
  return { ...given, name: value("hostname"), node: null, broker: value("broker") };
}

interface PythonArgs {
  readonly what: "script" | "module" | "code" | "none";
  /** The script's path, the module's name, or the code. */
  readonly program: string;
  readonly rest: readonly string[];
}

/** Finds what an interpreter was told to run (Python's documentation, "Command line and environment"). */
function splitPython(args: readonly string[]): PythonArgs {
  for (let at = 0; at < args.length; at++) {
    const word = args[at] ?? "";
    if (word === "--check-hash-based-pycs") at++;
    else if (!word.startsWith("-")) return { what: "script", program: word, rest: args.slice(at + 1) };
    else if (!word.startsWith("--")) {
      const letter = word.search(/[mcWX]/);
      if (letter === -1) continue;
      const attached = word.slice(letter + 1);
      const value = attached === "" ? (args[++at] ?? "") : attached;
      const what = word[letter] === "m" ? "module" : word[letter] === "c" ? "code" : null;
      if (what !== null) return { what, program: value, rest: args.slice(at + 1) };
    }
  }
  return { what: "none", program: "", rest: [] };
}

function isPython(interpreter: string): boolean {
  return /^(?:python|pypy)(?:\d[\d.]*[a-z]*)?(?:-dbg)?$/.test(basename(interpreter));
}

function wordsOf(text: string): readonly string[] {
  const words = text.split("\0");
  if (words.at(-1) === "") words.pop();
  return words;
}

function basename(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
