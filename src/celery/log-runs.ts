import { isoSeconds } from "./iso-time.ts";

/** A worker that is there now, whose last start is looked for in a log. */
export interface Runner {
  readonly node: string;
  /** When its process was started, in seconds since 1970; null: not known. */
  readonly startedS: number | null;
}

/** A log as it is read. */
export interface LogText {
  readonly text: string;
  /** When it was written last, in seconds since 1970; null: it is no file. */
  readonly writtenS: number | null;
}

/** A log in two: what was written before the last start, and since. Null: no start is seen, and all is `since`. */
export interface Runs {
  readonly before: string | null;
  readonly since: string;
}

/** Celery's default format (celery/app/defaults.py `worker_log_format`), in the zone of the worker. */
const STAMP = /^\[(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d),(\d{3}): /;

/** The zones of the world differ by quarters of an hour. In seconds. */
const QUARTER_S = 900;

/** The last line was written when the file was, which has the coarser clock. In seconds. */
const EARLIEST_S = -1;
const LATEST_S = 5;

/**
 * /proc counts hundredths. Python takes longer from its start to the first line, and so do most supervisors to
 * restart a worker. So the last words of one run are not taken for the first ones of the next. In seconds.
 */
const SLACK_S = 0.1;

/** What {@link patternsOf} any node find. */
const ANY = /-{14} [^\s@]+@\S+ v\d|\S@[^\s@]+ ready\./;

/** In place of the number of a line that is not there. */
const NOWHERE = -1;

/** Lines that are looked at: lines of a log have 50 characters and more, so its 4 MB are at most 80,000 lines. */
const MOST_LINES = 200_000;

/** What stands at the end of a text, without blank lines: 4 MB of them would be four million texts, 300 MB. */
export function endOf(text: string): { readonly text: string; readonly isWhole: boolean } {
  const filled = text.replace(/\n\s*\n/g, "\n");
  let from = filled.length;
  for (let lines = 0; lines <= MOST_LINES; lines++) {
    if (from <= 0) return { text: filled, isWhole: true };
    from = filled.lastIndexOf("\n", from - 1);
  }
  return { text: filled.slice(from + 1), isWhole: false };
}

/** Cuts the log that a worker itself writes at its last start. */
export function runsOf(log: LogText, runner: Runner): Runs {
  const lines = log.text.split("\n");
  return cut(lines, lastStart(lines, runner, log.writtenS));
}

/**
 * Cuts a log of an unknown owner at the last start of the worker that starts in it. Of several workers the earliest
 * start counts, which keeps the last run of each. If another worker starts in it, nothing is cut: the log may say why
 * that one has ended.
 */
export function runsAmong(log: LogText, runners: readonly Runner[]): Runs {
  const lines = log.text.split("\n");
  const own = runners.filter(({ node }) => marksOf(lines, node).some((at) => at > NOWHERE));
  if (own.length === 0 || hasOther(lines, own)) return cut(lines, NOWHERE);
  return cut(lines, Math.min(...own.map((runner) => lastStart(lines, runner, log.writtenS))));
}

/** Whether another worker starts in it. */
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
 * The number of the line that the last run begins with: its banner's line, or the first line after the start of its
 * process. Where neither is of that run (no banner in a file; a worker that SIGHUP has restarted keeps its process),
 * it is the line that calls it ready.
 */
function lastStart(lines: readonly string[], { node, startedS }: Runner, writtenS: number | null): number {
  const [banner, ready, readyBefore] = marksOf(lines, node);
  const stamped =
    startedS === null || writtenS === null ? NOWHERE : firstSince(lines, startedS - SLACK_S, writtenS);
  const first = Math.max(banner, stamped);
  return first > readyBefore ? first : ready;
}

/**
 * Lines that a process writes only once: its banner on the terminal (celery/apps/worker.py `startup_info`), and, when
 * it is ready, "ready." (`on_consumer_ready`). Reconnecting does not repeat them.
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

/** The first stamped line of that moment or later, or the end; nowhere if the stamps cannot be read. */
function firstSince(lines: readonly string[], momentS: number, writtenS: number): number {
  const stamps = lines.map(stampOf);
  const last = stamps.findLast((stamp) => stamp !== null);
  const zoneS = last === undefined ? null : zoneOf(last, writtenS);
  if (zoneS === null) return NOWHERE;
  const at = stamps.findIndex((stamp) => stamp !== null && stamp + zoneS >= momentS);
  return at === NOWHERE ? lines.length : at;
}

/** As if it were UTC, in seconds since 1970; null: the line has no stamp. */
function stampOf(line: string): number | null {
  const [, moment, milliseconds] = STAMP.exec(line) ?? [];
  return moment === undefined ? null : isoSeconds(`${moment}.${milliseconds}`, "UTC");
}

/**
 * Seconds to add to the stamps. Only the file's own clock tells the worker's time zone (Django sets
 * its own). Null: the last stamp is not of when the file was written.
 */
function zoneOf(lastStamp: number, writtenS: number): number | null {
  const differenceS = writtenS - lastStamp;
  const zoneS = Math.round(differenceS / QUARTER_S) * QUARTER_S;
  const restS = differenceS - zoneS;
  return restS >= EARLIEST_S && restS <= LATEST_S ? zoneS : null;
}
