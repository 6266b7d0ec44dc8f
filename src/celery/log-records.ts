/** The level of a record, from the least to the worst. */
export type LogLevel = "debug" | "info" | "warning" | "error" | "critical";

/** One call of a logger: its message and its traceback. Or text that a program wrote without a logger. */
export interface LogRecord {
  /** Null: the record has no level. */
  readonly level: LogLevel | null;
  /** Whether it is the traceback of an exception that ended Celery's program. */
  readonly isCrash: boolean;
  /** All its lines. */
  readonly text: string;
}

/** Level names of Python's logging, loguru, structlog and log collectors. */
const LEVELS: Readonly<Record<string, LogLevel>> = {
  ...{ TRACE: "debug", DEBUG: "debug", INFO: "info", SUCCESS: "info", NOTICE: "info", NOTSET: "info" },
  ...{ WARNING: "warning", WARN: "warning", ERROR: "error", EXCEPTION: "error", CRITICAL: "critical" },
  ...{ FATAL: "critical", ALERT: "critical", EMERGENCY: "critical" },
};

/** Colour sequences (ECMA-48). */
const COLOURS = /\x1b\[[\d;]{0,20}m/g;

/**
 * What other programs write in front of each line: `docker compose logs`, `docker logs -t`, container runtimes, syslog
 * and journald.
 */
const PREFIXES: readonly RegExp[] = [
  /^[\w.-]{1,64} {1,32}\| /,
  /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.?\d{0,9}(?:Z|[+-]\d\d:\d\d) (?:(?:stdout|stderr) [FP] )?(?=\S)/,
  /^[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d [\w.-]{1,64} [\w.@-]{1,64}\[\d{1,10}\]: /,
];

/** Characters of a line in which the level is searched. */
const LOOKED_AT = 160;

/** Words in front of the level: the time, the process, the logger's name. */
const MOST_WORDS = 10;

/** The last line of a traceback, which is not a logger's name. */
const EXCEPTION = /^[\w.]{0,100}(?:Error|Exception|Warning|Exit|Interrupt|Lost)\b/;

const TRACEBACK = /^Traceback \(most recent call last\):/;

/** The first frame of a traceback that ended Celery's own program: no logger caught it. */
const PROGRAM =
  /^\s{1,8}File "(?:[^"]{0,300}\/bin\/celery|<frozen runpy>|[^"]{0,300}\/(?:celery\/__main__|celery\/bin\/\w+|runpy)\.py)"/;

/** loguru prints the whole stack below a record, including the program's first frame. */
const LOGURU = / \| [A-Z]{4,8} {1,6}\| /;

/**
 * Lines without a level at the start or end of a run: words of click, Celery's banner, a shell's word about the end.
 */
const OUTRIGHT =
  /^(?:Usage: |Error: |Unable to load celery application|You are using `-|--- Logging error ---$| ?-{14} \S+@|(?:\S{1,200}: line \d{1,6}: {1,20}\d{1,10} )?Killed(?: {2}|\s{0,9}$))/;

/** What Python's logging writes when it fails itself. A worker logs each of these lines as a warning. */
const LOGGING_ERROR = /--- Logging error ---$/;
const ITS_END = /^(?:Arguments: |.{0,120}\] Arguments: )/;

/** Lines that belong to the line above: they are indented, or they join two tracebacks. */
const TIES = /^(?:\s|$|During handling of the above|The above exception was)/;

/**
 * Cuts a log into records. Reads levels in the formats of Celery, Python, structlog, colorlog and loguru, and in JSON.
 * The lines below a record belong to it until the next record begins, so a traceback has its record's level.
 */
export function recordsOf(text: string): readonly LogRecord[] {
  const records: LogRecord[] = [];
  let level: LogLevel | null = null;
  let lines: string[] = [];
  /** Inside a traceback that no logger wrote. It ends with the line that names the exception. */
  let isRaw = false;
  let isCrash = false;
  /** Inside the text that logging writes about its own failure. */
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
      // The traceback above ended the program. It does not belong to the record before it.
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

/** Whether a traceback continues below the last line: it is a frame, or it joins two tracebacks. */
function isTied(lines: readonly string[]): boolean {
  return TIES.test(lines.at(-1) ?? "") || TRACEBACK.test(lines.at(-1) ?? "");
}

/** A line without colours and without the text that other programs put in front. */
function bare(line: string): string {
  const plain = line.includes("\x1b") ? line.replace(COLOURS, "") : line;
  for (const prefix of PREFIXES) {
    const found = prefix.exec(plain);
    if (found !== null) return plain.slice(found[0].length);
  }
  return plain;
}

/** The level at the beginning of a line. Null: the line does not begin a record. */
function levelOf(line: string): LogLevel | null {
  const head = line.slice(0, LOOKED_AT);
  if (EXCEPTION.test(head) || TRACEBACK.test(head)) return null;
  const named = /\b(?:level|levelname|severity|lvl)=["']?(\w{4,9})/.exec(head)?.[1];
  if (named !== undefined) return LEVELS[named.toUpperCase()] ?? null;
  const words = head.split(/[\s|[\]()<>:,/=\-{}"']+/).filter((word) => word !== "");
  for (const [position, word] of words.slice(0, MOST_WORDS).entries()) {
    if (Object.hasOwn(LEVELS, word)) return LEVELS[word] ?? null;
    // structlog writes the level in lower case, in brackets.
    if (position < 8 && head.includes(`[${word}`) && Object.hasOwn(LEVELS, word.toUpperCase())) {
      return LEVELS[word.toUpperCase()] ?? null;
    }
  }
  return null;
}

/** Keys for the level in JSON: python-json-logger, structlog, pino, Google, Elastic, Serilog. */
const LEVEL_KEYS = ["level", "levelname", "severity", "log.level", "log_level", "loglevel", "lvl", "@l"];

/** Null: the text is not a JSON object. Celery itself prints no JSON. */
function jsonRecord(line: string): LogRecord | null {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch {
    return null;
  }
  if (typeof parsed !== "object" || parsed === null) return null;
  const entries = new Map(Object.entries(parsed as Record<string, unknown>));
  // loguru puts the whole record into one object. Elastic's `log.level` may be an object `log` with a `level`.
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

/** Numbers are Python's levels: 20 is INFO, 30 WARNING, 40 ERROR. */
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

/** Values of a JSON record that are nested deeper than this are not read. */
const DEEPEST = 6;

/** All texts in the value, including the lines of a traceback. */
function textsIn(value: unknown, into: string[], depth = 0): string[] {
  if (typeof value === "string") into.push(value);
  else if (typeof value === "object" && value !== null && depth < DEEPEST) {
    for (const one of Object.values(value)) textsIn(one, into, depth + 1);
  }
  return into;
}
