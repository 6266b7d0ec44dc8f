import { EFFECTS, type KnownLines, type LineKind } from "./line-kinds.ts";
import { type LogRecord, recordsOf } from "./log-records.ts";
import { withCourses } from "./task-courses.ts";
import { BACKENDS, blamed, isBrokers, OWN_FAILURE, TASK, unloggedTask } from "./whose-failure.ts";

/** The dotted name of a module, in the quotes that Python writes. */
const MODULE = "'?[\\w.:]+'?";

/** A path in quotes, as Python and JSON write it. */
const PATH = "\\\\?['\"][^'\"\\\\]{1,200}\\\\?['\"]";

/**
 * An address in Celery's form ends before the exception's words, which may contain an `@`. Any other address ends after
 * its last `@`.
 */
const ADDRESS =
  "[a-z+]+:\\/\\/(?:(?:[\\w.%+-]{0,64}:\\*{1,8}@)?[\\w.-]{1,253}:\\d{1,5}\\/[^\\s'\"@]{0,200}(?!\\S)|(?:.{0,500}@)?[^\\s'\"@]+)";

/**
 * How each kind is recognised: by words of Celery 5.0 to 5.7 (celery/worker, celery/app/trace.py, celery/bin/celery.py,
 * celery/beat.py, billiard/pool.py), click, Python, redis-py and Redis. Users see the text that the pattern matches:
 * names, numbers and paths. They never see an exception's words, which may contain anything. If several kinds fit a
 * record, the first is its cause. `beside` is a text that the record must also contain.
 */
const PATTERNS: readonly (readonly [LineKind, RegExp, beside?: string])[] = [
  [
    "circular-import",
    new RegExp(
      `cannot import name ${MODULE} from partially initialized module ${MODULE}|partially initialized module ${MODULE} has no attribute ${MODULE}`,
    ),
  ],
  [
    "redis-missing",
    /'NoneType' object has no attribute 'Redis'|Missing redis library|You need to install the redis library|No module named '?redis'?(?![\w.])/,
  ],
  ["not-configured", /(?:django\.core\.exceptions\.)?ImproperlyConfigured\b/],
  [
    "app-missing",
    new RegExp(`^The module ${MODULE} was not found|^Module ${MODULE} has no attribute ${MODULE}`),
  ],
  [
    "module-missing",
    new RegExp(
      `(?:ModuleNotFoundError: )?No module named ${MODULE}|ImportError: cannot import name ${MODULE}`,
    ),
  ],
  [
    "bad-option",
    /No such option:? '?--?[\w-]+'?|Invalid value for (?!'-A')'-[^:\n]{1,80}'(?=: )|No such command '?[\w-]+'?/,
  ],
  ["pid-file", /Pidfile \([^)\n]{1,200}\) already exists/],
  ["read-only", new RegExp(`(?:\\[Errno 30\\] )?Read-only file system(?:: ${PATH})?`)],
  ["lock-lost", /LockNotOwnedError/],
  [
    "no-broker",
    /(?:Cannot connect to|Connected to|transport:\s{1,8}) ?amqp:\/\/guest:\*\*@(?:localhost|127\.0\.0\.1):5672/,
  ],
  // For some errors redis-py has its own class, and then it leaves out the error's first word.
  ["broker-full", /command not allowed when used memory > 'maxmemory'/],
  ["broker-misconf", /MISCONF\b/],
  ["broker-replica", /READONLY(?= You)|You can't write against a read only replica/],
  [
    "broker-cluster",
    /CROSSSLOT\b|Keys in request don't hash to the same slot|CLUSTERDOWN\b|SELECT is not allowed in cluster mode|ClusterCrossSlotError/,
  ],
  ["broker-clients", /max number of clients reached/],
  ["broker-loading", /Redis is loading the dataset in memory|BusyLoadingError/],
  [
    "broker-login",
    /(?:WRONGPASS|NOAUTH)(?= )|(?<=Cannot connect to \S+ )(?:invalid username-password pair|invalid password|Authentication required)|redis\.exceptions\.AuthenticationError/,
  ],
  [
    "broker-rights",
    /NOPERM\b|NoPermissionError|this user has no permissions to (?:run the '[\w|-]{1,40}' command|access [\w ]{1,40})/,
  ],
  ["too-many-files", /Too many open files/],
  ["permission", new RegExp(`(?:PermissionError: )?\\[Errno 13\\] Permission denied(?:: ${PATH})?`)],
  ["no-space", new RegExp(`(?:\\[Errno 28\\] )?No space left on device(?:: ${PATH})?`)],
  // Behind what makes any file unreadable: beat calls its file corrupt then too.
  ["schedule", /Removing corrupted schedule file '[^'\n]{1,200}'/],
  ["unregistered", new RegExp(`Received unregistered task of type '?${TASK}'?`)],
  [
    "undecodable",
    /Can't decode message body: \w+|Refusing to deserialize \w+ content of type \w+|Received and deleted unknown message/,
  ],
  [
    "result-store",
    /Retry limit exceeded while trying to reconnect to the Celery|Connection to Redis lost: Retry \(\d+\/\d+\)/,
  ],
  // Celery 5.2 tries only once.
  [
    "result-store",
    /redis\.exceptions\.(?:Connection|Timeout)Error(?:: Error \d+ connecting to [\w.-]{1,253}:\d{1,5})?/,
    BACKENDS,
  ],
  // What a shell writes about a program that it started.
  ["main-killed", /^(?:\S{1,200}: line \d{1,6}: {1,20}\d{1,10} )?Killed(?= {2,40}\S|\s{0,9}$)/],
  // The children's exceptions repeat it. Only the main process's line counts.
  ["hard-limit", new RegExp(`Hard time limit \\([^)]{1,20}\\) exceeded for ${TASK}`)],
  ["soft-limit", new RegExp(`Soft time limit \\([^)]{1,20}\\) exceeded for ${TASK}`)],
  ["child-killed", /Worker exited prematurely: signal 9 \(\w+\)/],
  ["child-crashed", /Worker exited prematurely: signal (?:4|6|7|8|11) \(\w+\)/],
  ["child-stopped", /Worker exited prematurely: signal \d+ \(\w+\)/],
  ["child-exited", /Worker exited prematurely: exitcode -?\d+/],
  ["no-memory", /\bMemoryError\b/],
  ["control-command", /(?:Control|pidbox) command error: \w+/],
  ["broker-lost", new RegExp(`Connection to broker lost|Cannot connect to ${ADDRESS}`)],
  [
    "publish-failed",
    /kombu\.exceptions\.OperationalError(?:: Error \d+ connecting to [\w.-]{1,253}:\d{1,5})?/,
  ],
  [
    "clock-drift",
    /Substantial drift from [^\s@]{1,200}@\S{1,253} may mean clocks are out of sync\.\s{1,4}Current drift is -?\d{1,12} seconds/,
  ],
  ["task-failed", OWN_FAILURE],
];

/**
 * The credentials, up to the last `@`. A password may contain any character. Masking elsewhere stops at a blank, so it
 * is done here too.
 */
const CREDENTIALS =
  /^(Cannot connect to [a-z+]{1,32}:\/\/(?![^\s@:]{0,64}:\*{1,8}@)(?:[^:@/\s]{0,64}:)?).{1,500}@/;

/** Lines of click or a shell, which have no level. A similar line with a level is a task's and does not count. */
const UNLOGGED: readonly LineKind[] = ["app-missing", "bad-option", "main-killed"];

/** Written at the start and again at each try, so they count once. */
const ONCE: readonly LineKind[] = ["no-broker"];

/** Several lines for one event: a file is opened and read, a child and its parent both store a result. */
const TWICE: readonly LineKind[] = ["schedule", "result-store"];

/** What a worker and a beat write when an exception ends them (celery/worker/worker.py, celery/apps/beat.py). */
const UNRECOVERABLE = /Unrecoverable error: [\w:]*|beat raised exception <class '[\w.]+'>/;

/** The last line of a traceback that ended the program. Of its message only a name in quotes is shown. */
const CRASH = /^([\w.]+(?:Error|Exception|Exit|Interrupt|[a-z]))(?:$|: ('[\w.-]{1,64}'$)?)/gm;

/** The number of a pool's job. Lines about the same job count once. */
const JOB = / Job: \d+/;

/** The package that a pool needs and that is missing (celery/__init__.py `_patch_gevent`, `_patch_eventlet`). */
export function missingPool(text: string): "gevent" | "eventlet" | null {
  const found = /No module named '?(gevent|eventlet)'?\b/.exec(text)?.[1];
  return found === "gevent" || found === "eventlet" ? found : null;
}

/** The number of tasks that succeeded, if the log has these lines (celery/app/trace.py, at INFO). */
export function succeededIn(text: string): number {
  return [...text.matchAll(/\] succeeded in /g)].length;
}

/** Whether the level shows normal operation, which is no sign of a problem. */
function isHarmless({ level }: LogRecord): boolean {
  return level === "debug" || level === "info";
}

interface Known {
  readonly kind: LineKind;
  readonly words: string;
  readonly isEnd: boolean;
  /** See {@link LogRecord}. A program may log why it ends and then print a traceback: both are about the same end. */
  readonly isCrash: boolean;
  /** Records with the same identity count once. */
  readonly identity: string;
}

/** The known cause of a record, or null. */
function known(record: LogRecord): Known | null {
  const { text, isCrash } = record;
  if (isHarmless(record)) return null;
  const fatal = UNRECOVERABLE.exec(text)?.[0] ?? null;
  const isEnd = isCrash || fatal !== null;
  for (const [listed, pattern, beside = ""] of PATTERNS) {
    const found = text.includes(beside) ? pattern.exec(text) : null;
    if (found === null || (record.level !== null && UNLOGGED.includes(listed))) continue;
    const kind = isBrokers(listed) ? blamed(listed, text) : listed;
    if (kind === null) continue;
    const words =
      unloggedTask(found[0], text) ?? found[0].replace(CREDENTIALS, "$1***@").replaceAll(/\s+/g, " ");
    const job = JOB.exec(text.slice(found.index, found.index + found[0].length + 20))?.[0] ?? "";
    return { kind, words, isEnd: isEnd || EFFECTS[kind] === "ends", isCrash, identity: words + job };
  }
  if (fatal !== null) return { kind: "unrecoverable", words: fatal, isEnd, isCrash, identity: fatal };
  if (!isCrash) return null;
  const [, name = "", quoted] = [...text.matchAll(CRASH)].at(-1) ?? [];
  const words = quoted === undefined ? name : `${name}: ${quoted}`;
  return name === "" ? null : { kind: "crashed", words, isEnd, isCrash, identity: words };
}

/**
 * The first line of another run. Its lines do not belong to the run before (celery/apps/worker.py, celery/bin/beat.py).
 */
const START = /^ ?-{14} \S[^\s@]*@\S+ v\d|^celery beat v\d/;

/** The largest number of other records between two records of one crash. */
const NEAR = 60;

/**
 * Counts the known records, in the order of the table. A crash counts once, even when several records tell about it.
 */
export function knownLines(text: string): readonly KnownLines[] {
  const found = new Map<
    LineKind,
    { readonly count: number; readonly ended: number; readonly last: string }
  >();
  let newest: { readonly its: Known; readonly at: number } | null = null;
  for (const [at, record] of recordsOf(text).entries()) {
    if (START.test(record.text)) newest = null;
    const its = known(record);
    if (its === null) continue;
    const { kind, words, isEnd, isCrash } = its;
    const { count = 0, ended = 0 } = found.get(kind) ?? {};
    const isNear = newest?.its.identity === its.identity && at - newest.at <= NEAR;
    const isSame = ONCE.includes(kind)
      ? count > 0
      : isNear &&
        (TWICE.includes(kind) ||
          JOB.test(its.identity) ||
          (newest?.its.isEnd === true && !newest.its.isCrash && isCrash));
    newest = { its, at };
    found.set(kind, {
      count: count + (isSame ? 0 : 1),
      ended: ended + (isEnd && !isSame ? 1 : 0),
      last: words,
    });
  }
  const told = [...ORDER].flatMap((kind) => {
    const its = found.get(kind);
    if (its === undefined) return [];
    const { count, ended, last } = its;
    return [{ kind, count: ended > 0 ? ended : count, hasEnded: ended > 0, last }];
  });
  return withCourses(told, text);
}

/** Causes come before their effects. */
const ORDER: ReadonlySet<LineKind> = new Set([
  "crashed",
  "unrecoverable",
  ...PATTERNS.flatMap(([kind]): readonly LineKind[] =>
    kind === "broker-full" ? [kind, "result-login", "result-refused"] : [kind],
  ),
]);
