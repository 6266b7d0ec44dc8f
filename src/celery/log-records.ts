/** What a record is called, from the least to the worst. */
export type LogLevel = "debug" | "info" | "warning" | "error" | "critical";

/** One call of a logger: its message and its traceback. Or what a program has written without one. */
export interface LogRecord {
  /** Null: nobody says it. */
  readonly level: LogLevel | null;
  /** Whether it is the traceback of an exception that has ended Celery's program. */
  readonly isCrash: boolean;
  /** With the lines below the first. */
  readonly text: string;
}

/** Levels by the names of Python's logging, loguru, structlog, and of collectors. */
const LEVELS: Readonly<Record<string, LogLevel>> = {
  ...{ TRACE: "debug", DEBUG: "debug", INFO: "info", SUCCESS: "info", NOTICE: "info", NOTSET: "info" },
  ...{ WARNING: "warning", WARN: "warning", ERROR: "error", EXCEPTION: "error", CRITICAL: "critical" },
  ...{ FATAL: "critical", ALERT: "critical", EMERGENCY: "critical" },
};

/** Colours (ECMA-48). */
const COLOURS = /\x1b\[[\d;]{0,20}m/g;

/**
 * What other programs add in front of each line: `docker compose logs`, `docker logs -t` and a container's runtime,
 * syslog and journald.
 */
const PREFIXES: readonly RegExp[] = [
  /^[\w.-]{1,64} {1,32}\| /,
  /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.?\d{0,9}(?:Z|[+-]\d\d:\d\d) (?:(?:stdout|stderr) [FP] )?(?=\S)/,
  /^[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d [\w.-]{1,64} [\w.@-]{1,64}\[\d{1,10}\]: /,
];

/** Characters of a line in which its level is looked for. */
const LOOKED_AT = 160;

/** Words in front of a level: the time, the process, the name of a logger. */
const MOST_WORDS = 10;

/** The last line of a traceback, and no logger's name. */
const EXCEPTION = /^[\w.]{0,100}(?:Error|Exception|Warning|Exit|Interrupt|Lost)\b/;

const TRACEBACK = /^Traceback \(most recent call last\):/;

/** The first frame of a traceback that has ended Celery's own program: no logger has caught it. */
const PROGRAM =
  /^\s{1,8}File "(?:[^"]{0,300}\/bin\/celery|<frozen runpy>|[^"]{0,300}\/(?:celery\/__main__|celery\/bin\/\w+|runpy)\.py)"/;

/** loguru shows the whole stack below a record, from the program's first frame on. */
const LOGURU = / \| [A-Z]{4,8} {1,6}\| /;

/** What stands without a level where a run begins or fails: click's words, Celery's banner, a shell's word of its end. */
const OUTRIGHT =
  /^(?:Usage: |Error: |Unable to load celery application|You are using `-|--- Logging error ---$| ?-{14} \S+@|(?:\S{1,200}: line \d{1,6}: {1,20}\d{1,10} )?Killed(?: {2}|\s{0,9}$))/;

/** What logging itself writes where it fails, line by line, which a worker logs as so many warnings. */
const LOGGING_ERROR = /--- Logging error ---$/;
const ITS_END = /^(?:Arguments: |.{0,120}\] Arguments: )/;

/** What belongs to the line above it: it is indented, or it ties two tracebacks together. */
const TIES = /^(?:\s|$|During handling of the above|The above exception was)/;

/**
 * Cuts a log into records. A level is read in the formats of Celery, Python, structlog, colorlog and loguru, and in
 * JSON. What stands below a record is part of it until another one begins: its traceback has its level.
 */
export function recordsOf(text: string): readonly LogRecord[] {
  const records: LogRecord[] = [];
  let level: LogLevel | null = null;
  let lines: string[] = [];
  /** In a traceback that nobody has logged: it ends with the line that names its exception. */
  let isRaw = false;
  let isCrash = false;
  /** In what logging writes of its own failure. */
  let isOfLogging = false;
  const end = (): void => {
    if (lines.length > 0) records.push({ level, isCrash, text: lines.join("\n") });
    lines = [];
    isRaw = isCrash = false;
  };
  for (const line of text.split(/\r?\n/).map(bare)) {
    if (isOfLogging) {
      lines.push(line);
      isOfLogging = !ITS_END.test(line);
      continue;
    }
    const own = line.startsWith("{") ? jsonRecord(line) : null;
    if (own !== null) {
      end();
      records.push(own);
      level = null;
      continue;
    }
    const head = TIES.test(line) && !OUTRIGHT.test(line) ? null : levelOf(line);
    if (head !== null || OUTRIGHT.test(line)) {
      end();
      level = head;
    } else if (
      !isCrash &&
      PROGRAM.test(line) &&
      TRACEBACK.test(lines.at(-1) ?? "") &&
      !LOGURU.test(lines[0] ?? "")
    ) {
      // The traceback above does not belong to the record: it has ended the program.
      const crash = lines.splice(lines.findIndex((one) => TRACEBACK.test(one)));
      end();
      level = null;
      lines = crash;
      isRaw = isCrash = true;
    } else if (level === null && !TIES.test(line)) {
      if (!isRaw || !isTied(lines)) end();
      isRaw ||= TRACEBACK.test(line);
    }
    isOfLogging = LOGGING_ERROR.test(line);
    lines.push(line);
  }
  end();
  return records;
}

/** Whether the last line is one below which a traceback goes on: a frame of it, or what ties it to the next. */
function isTied(lines: readonly string[]): boolean {
  return TIES.test(lines.at(-1) ?? "") || TRACEBACK.test(lines.at(-1) ?? "");
}

/** Without colours, and without what others have put in front of it. */
function bare(line: string): string {
  const plain = line.includes("\x1b") ? line.replace(COLOURS, "") : line;
  for (const prefix of PREFIXES) {
    const found = prefix.exec(plain);
    if (found !== null) return plain.slice(found[0].length);
  }
  return plain;
}

/** The level that a line begins with; null: it is no record's first line. */
function levelOf(line: string): LogLevel | null {
  const head = line.slice(0, LOOKED_AT);
  if (EXCEPTION.test(head) || TRACEBACK.test(head)) return null;
  const named = /\b(?:level|levelname|severity|lvl)=["']?(\w{4,9})/.exec(head)?.[1];
  if (named !== undefined) return LEVELS[named.toUpperCase()] ?? null;
  const words = head.split(/[\s|[\]()<>:,/=\-{}"']+/).filter((word) => word !== "");
  for (const [position, word] of words.slice(0, MOST_WORDS).entries()) {
    if (Object.hasOwn(LEVELS, word)) return LEVELS[word] ?? null;
    // structlog writes it small, in brackets.
    if (position < 8 && head.includes(`[${word}`) && Object.hasOwn(LEVELS, word.toUpperCase())) {
      return LEVELS[word.toUpperCase()] ?? null;
    }
  }
  return null;
}

/** Names of a level in JSON: python-json-logger, structlog, pino, Google's, Elastic's, Serilog's. */
const LEVEL_KEYS = ["level", "levelname", "severity", "log.level", "log_level", "loglevel", "lvl", "@l"];

/** Text that is not a JSON object is not a record; Celery itself prints none. */
function jsonRecord(line: string): LogRecord | null {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch {
    return null;
  }
  if (typeof parsed !== "object" || parsed === null) return null;
  const entries = new Map(Object.entries(parsed as Record<string, unknown>));
  // loguru puts all of it into one object; Elastic's level is `log.level`, whose dot may be an object.
  const inner = entries.get("record") ?? entries.get("log");
  if (typeof inner === "object" && inner !== null) {
    for (const [key, value] of Object.entries(inner)) if (!entries.has(key)) entries.set(key, value);
  }
  const key = LEVEL_KEYS.find((name) => entries.has(name));
  return {
    level: key === undefined ? null : jsonLevel(entries.get(key)),
    isCrash: false,
    text: textsIn(Object.fromEntries(entries), []).join("\n"),
  };
}

/** Levels as numbers are Python's: 20 is INFO, 30 WARNING, 40 ERROR. */
const WORST_INFO = 29;
const WORST_WARNING = 39;

function jsonLevel(value: unknown): LogLevel | null {
  if (typeof value === "string") return LEVELS[value.toUpperCase()] ?? null;
  if (typeof value === "number") {
    if (value <= WORST_INFO) return "info";
    return value <= WORST_WARNING ? "warning" : "error";
  }
  if (typeof value !== "object" || value === null) return null;
  return "name" in value ? jsonLevel(value.name) : null;
}

/** A record in JSON is not nested deeper than this. */
const DEEPEST = 6;

/** Every text in it, the lines of a traceback among them. */
function textsIn(value: unknown, into: string[], depth = 0): string[] {
  if (typeof value === "string") into.push(value);
  else if (typeof value === "object" && value !== null && depth < DEEPEST) {
    for (const one of Object.values(value)) textsIn(one, into, depth + 1);
  }
  return into;
}
