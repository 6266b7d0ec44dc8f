/** What a line of a worker's log can be known for. */
export type LineKind =
  | "unrecoverable"
  | "unregistered"
  | "undecodable"
  | "module-missing"
  | "permission"
  | "no-space"
  | "broker-full"
  | "broker-login"
  | "hard-limit"
  | "soft-limit"
  | "worker-lost"
  | "no-memory"
  | "control-command"
  | "broker-lost";

/** A dotted name of a module, in the quotes that Python writes. */
const MODULE = "'?[\\w.]+'?";

/** A text in quotes, as Python and JSON write it: the path of a file. */
const PATH = "\\\\?['\"][^'\"\\\\]{1,200}\\\\?['\"]";

/** A task and its id: its name may be any text, and is of one word as a rule. */
const TASK = "[\\w.:-]+(?:\\[[\\w-]+\\])?";

/**
 * How a kind is recognised: Celery's own words, 5.0 to 5.7 (celery/worker, celery/app/trace.py, celery/bin/celery.py,
 * billiard/pool.py), Python's and Redis'. What a pattern finds is shown: names, numbers and paths, and never the words of
 * an exception, which may have anything in them.
 */
const PATTERNS: readonly (readonly [LineKind, RegExp])[] = [
  ["unrecoverable", /Unrecoverable error: [\w:]*/],
  ["unregistered", new RegExp(`Received unregistered task of type '?${TASK}'?`)],
  [
    "undecodable",
    /Can't decode message body: \w+|Refusing to deserialize \w+ content of type \w+|Received and deleted unknown message/,
  ],
  [
    "module-missing",
    new RegExp(
      `(?:ModuleNotFoundError: )?No module named ${MODULE}|ImportError: cannot import name ${MODULE}|The module ${MODULE} was not found`,
    ),
  ],
  ["permission", new RegExp(`(?:PermissionError: )?\\[Errno 13\\] Permission denied(?:: ${PATH})?`)],
  ["no-space", new RegExp(`(?:\\[Errno 28\\] )?No space left on device(?:: ${PATH})?`)],
  // redis-py leaves out the first word of Redis' errors where it has a class of its own for them.
  ["broker-full", /command not allowed when used memory > 'maxmemory'/],
  [
    "broker-login",
    /(?:WRONGPASS|NOAUTH)(?= )|(?<=Cannot connect to \S+ )(?:invalid username-password pair|invalid password|Authentication required)|redis\.exceptions\.AuthenticationError/,
  ],
  // The children's exceptions repeat it: what the main process says counts.
  ["hard-limit", new RegExp(`Hard time limit \\([^)]{1,20}\\) exceeded for ${TASK}`)],
  ["soft-limit", new RegExp(`Soft time limit \\([^)]{1,20}\\) exceeded for ${TASK}`)],
  ["worker-lost", /Worker exited prematurely: (?:signal \d+ \(\w+\)|exitcode -?\d+)/],
  ["no-memory", /MemoryError\b/],
  ["control-command", /(?:Control|pidbox) command error: \w+/],
  [
    "broker-lost",
    // An address in Celery's form ends before the words of the exception, which may have an `@`; of any other the last counts.
    /Connection to broker lost|Cannot connect to [a-z+]+:\/\/(?:(?:[\w.%+-]{0,64}:\*{1,8}@)?[\w.-]{1,253}:\d{1,5}\/[^\s'"@]{0,200}(?!\S)|(?:.{0,500}@)?[^\s'"@]+)/,
  ],
];

/** Credentials up to the last `@`: a password may hold any character, a blank among them, at which a gate stops. */
const CREDENTIALS =
  /^(Cannot connect to [a-z+]{1,32}:\/\/(?![^\s@:]{0,64}:\*{1,8}@)(?:[^:@/\s]{0,64}:)?).{1,500}@/;

/** The level of a line, near its beginning. */
const LEVEL = /^.{0,120}?\b(DEBUG|INFO|WARNING|ERROR|CRITICAL)\b/;

/** Levels of the usual course of things, which is no sign of anything. */
const HARMLESS: readonly (string | undefined)[] = ["DEBUG", "INFO"];

/** Lines of one kind. */
export interface KnownLines {
  readonly kind: LineKind;
  readonly count: number;
  /** The last one, from the words that it is known by. */
  readonly last: string;
}

/** The package of a pool that is named as missing (celery/__init__.py `_patch_gevent`, `_patch_eventlet`). */
export function missingPool(text: string): "gevent" | "eventlet" | null {
  const found = /No module named '?(gevent|eventlet)'?\b/.exec(text)?.[1];
  return found === "gevent" || found === "eventlet" ? found : null;
}

/** Counts what is known, in the order of the table. A line counts once. */
export function knownLines(text: string): readonly KnownLines[] {
  const found = new Map<LineKind, { count: number; last: string }>();
  for (const line of text.split(/\r?\n/)) {
    if (HARMLESS.includes(LEVEL.exec(line)?.[1])) continue;
    for (const [kind, pattern] of PATTERNS) {
      const words = pattern.exec(line)?.[0].replace(CREDENTIALS, "$1***@");
      if (words === undefined) continue;
      found.set(kind, { count: (found.get(kind)?.count ?? 0) + 1, last: words });
      break;
    }
  }
  return PATTERNS.flatMap(([kind]) => {
    const its = found.get(kind);
    return its === undefined ? [] : [{ kind, ...its }];
  });
}
