import { isoSeconds } from "./iso-time.ts";

/** A running worker. Its last start is searched in a log. */
export interface Runner {
  readonly node: string;
  /** When its process was started, in seconds since 1970. Null: not known. */
  readonly startedS: number | null;
}

export interface LogText {
  readonly text: string;
  /** When the file was last written, in seconds since 1970. Null: it is not a file. */
  readonly writtenS: number | null;
}

/** A log in two parts: before the last start, and since. Null: no start was found, and the whole log is `since`. */
export interface Runs {
  readonly before: string | null;
  readonly since: string;
}

/** The time in Celery's default format (celery/app/defaults.py `worker_log_format`), in the worker's zone. */
const STAMP = /^\[(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d),(\d{3}): /;

/** In seconds. Time zones differ by multiples of a quarter of an hour. */
const QUARTER_S = 900;

/** In seconds. The file's time may differ this much from its last line's time: the file has the coarser clock. */
const EARLIEST_S = -1;
const LATEST_S = 5;

/**
 * In seconds. /proc counts hundredths of a second. Python needs longer until its first line, and most supervisors need
 * longer to restart a worker. So the last lines of a run do not count as the first lines of the next.
 */
const SLACK_S = 0.1;

/** Lines that {@link patternsOf} finds for any node. */
const ANY = /-{14} [^\s@]+@\S+ v\d|\S@[^\s@]+ ready\./;

/** Stands for a line number if there is no such line. */
const NOWHERE = -1;

/**
 * The number of lines that are read, from the end. Log lines have 50 characters and more, so 4 MB have at most 80,000.
 */
const MOST_LINES = 200_000;

/** The end of a text, without blank lines. 4 MB of blank lines would become four million strings, 300 MB. */
export function endOf(text: string): { readonly text: string; readonly isWhole: boolean } {
  const filled = text.replace(/\n\s*\n/g, "\n");
  let from = filled.length;
  for (let lines = 0; lines <= MOST_LINES; lines++) {
    if (from <= 0) return { text: filled, isWhole: true };
    from = filled.lastIndexOf("\n", from - 1);
  }
  return { text: filled.slice(from + 1), isWhole: false };
}

/** Cuts a worker's own log at its last start. */
export function runsOf(log: LogText, runner: Runner): Runs {
  const lines = log.text.split("\n");
  return cut(lines, lastStart(lines, runner, log.writtenS));
}

/**
 * Cuts a log of unknown origin at the last start of the worker in it. If several workers start in it, the earliest of
 * their last starts counts, which keeps the last run of each. If an unknown worker starts in it, nothing is cut: the
 * log may say why that worker ended.
 */
export function runsAmong(log: LogText, runners: readonly Runner[]): Runs {
  const lines = log.text.split("\n");
  const own = runners.filter(({ node }) => marksOf(lines, node).some((at) => at > NOWHERE));
  if (own.length === 0 || hasOther(lines, own)) return cut(lines, NOWHERE);
  return cut(lines, Math.min(...own.map((runner) => lastStart(lines, runner, log.writtenS))));
}

/** Whether the log has the start of another worker. */
function hasOther(lines: readonly string[], runners: readonly Runner[]): boolean {
  const known = runners.map(({ node }) => patternsOf(node));
  return lines.some(
    (line) => ANY.test(line) && !known.some(({ banner, ready }) => banner.test(line) || ready.test(line)),
  );
}

function cut(lines: readonly string[], at: number): Runs {
  const since = lines.slice(Math.max(0, at)).join("\n");
  return { before: at === NOWHERE ? null : lines.slice(0, at).join("\n"), since };
}

/**
 * The number of the line where the last run begins: its banner, or the first line after its process started. Some runs
 * have neither: a file has no banner, and a worker that SIGHUP restarted keeps its process. Then it is the "ready."
 * line.
 */
function lastStart(lines: readonly string[], { node, startedS }: Runner, writtenS: number | null): number {
  const [banner, ready, readyBefore] = marksOf(lines, node);
  const stamped =
    startedS === null || writtenS === null ? NOWHERE : firstSince(lines, startedS - SLACK_S, writtenS);
  const first = Math.max(banner, stamped);
  return first > readyBefore ? first : ready;
}

/**
 * Lines that a process writes only once: its banner on the terminal (celery/apps/worker.py `startup_info`), and
 * "ready." (`on_consumer_ready`). They do not appear again after a reconnect.
 */
function marksOf(
  lines: readonly string[],
  node: string,
): readonly [banner: number, ready: number, readyBefore: number] {
  const { banner, ready } = patternsOf(node);
  const lastReady = lines.findLastIndex((line) => ready.test(line));
  const isReadyBefore = (line: string, at: number): boolean => at < lastReady && ready.test(line);
  return [lines.findLastIndex((line) => banner.test(line)), lastReady, lines.findLastIndex(isReadyBefore)];
}

function patternsOf(node: string): { readonly banner: RegExp; readonly ready: RegExp } {
  const name = RegExp.escape(node);
  return {
    banner: new RegExp(`-{14} ${name} v\\d`),
    ready: new RegExp(`(?<![\\w.@%+-])${name} ready\\.`),
  };
}

/** The first stamped line at or after this time, or the end. Nowhere: the stamps cannot be read. */
function firstSince(lines: readonly string[], momentS: number, writtenS: number): number {
  const stamps = lines.map(stampOf);
  const last = stamps.findLast((stamp) => stamp !== null);
  const zoneS = last === undefined ? null : zoneOf(last, writtenS);
  if (zoneS === null) return NOWHERE;
  const at = stamps.findIndex((stamp) => stamp !== null && stamp + zoneS >= momentS);
  return at === NOWHERE ? lines.length : at;
}

/** The stamp read as UTC, in seconds since 1970. Null: the line has no stamp. */
function stampOf(line: string): number | null {
  const [, moment, milliseconds] = STAMP.exec(line) ?? [];
  return moment === undefined ? null : isoSeconds(`${moment}.${milliseconds}`, "UTC");
}

/**
 * Seconds to add to the stamps. Only the file's own clock tells the worker's time zone (Django sets its own). Null: the
 * last stamp does not match the time of the last write.
 */
function zoneOf(lastStamp: number, writtenS: number): number | null {
  const differenceS = writtenS - lastStamp;
  const zoneS = Math.round(differenceS / QUARTER_S) * QUARTER_S;
  const restS = differenceS - zoneS;
  return restS >= EARLIEST_S && restS <= LATEST_S ? zoneS : null;
}
