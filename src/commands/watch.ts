import type { CommandConfig } from "../cli/command-options.ts";
import { localCheck } from "../fleet/check-local.ts";
import { collect, type Collector } from "../fleet/collector.ts";
import type { Host } from "../host.ts";
import type { Terminal } from "../machine/parts.ts";
import { findFleet } from "./find-fleet.ts";
import { fleetJson } from "../render/fleet-json.ts";
import { lines, NOTHING, ours, type Printable } from "../render/gate.ts";
import { statement } from "../render/statement.ts";
import { changedRows, type Said, saidBy, watchRows } from "../render/watch-rows.ts";
import type { Canvas } from "../render/watch-table.ts";
import { mostScroll, type Stand, TOP, troubleText, watchLines } from "../render/watch-text.ts";
import { type Ending, failed, misused, type Run } from "./command.ts";

type WatchConfig = CommandConfig<"watch">;

/** In milliseconds. A single picture leaves out later answers. */
const ONCE_MS = 4_500;

/** In milliseconds. How often a silent node is pinged. */
const ROUND_EVERY_MS = 30_000;

const DONE: Ending = { stdout: NOTHING, stderr: NOTHING, exitCode: 0 };

/**
 * Shows every worker and queue of the broker: as a refreshed screen, as lines or objects if stdout is no terminal, or
 * as one picture. A signal ends the first two successfully at any time. If a signal prevents the picture, the run has
 * failed (app.ts).
 */
export const watch: Run<WatchConfig> = (told, host) => {
  const watched = watchAll(told, host);
  return told.config.once.value ? watched : Promise.race([watched, host.interrupted.then(() => DONE)]);
};

const watchAll: Run<WatchConfig> = async ({ config }, host) => {
  const { "busy-grace": grace } = config;
  const found = await findFleet(config, host);
  if (!found.ok) return misused(found.problem);
  const { plan, place, named } = found.value;
  const isJson = config.output.value === "json";
  const terminal = isJson ? null : await host.terminal();
  const collector = collect(plan, place, host, {
    nodes: named,
    queues: config.queue.value,
    roundEveryMs: ROUND_EVERY_MS,
    lookEveryMs: config.interval.value,
    graceMs: grace.value,
    local: { isAlone: false, check: localCheck(config, host, grace.value, statement) },
  });
  const canvas = canvasOf(host, terminal);
  const end = config.once.value
    ? await once(collector, host, canvas(false, Infinity), isJson)
    : terminal === null
      ? await rows(collector, host, config.interval.value, isJson)
      : await screen(collector, host, terminal, config.interval.value, canvas);
  collector.close();
  return end;
};

function canvasOf(host: Host, terminal: Terminal | null) {
  const isUnicode = /utf-?8/i.test(host.env["LC_ALL"] || host.env["LC_CTYPE"] || host.env["LANG"] || "");
  return (hasKeys: boolean, rows: number): Canvas => ({
    columns: terminal?.size().columns ?? Infinity,
    rows,
    inColour: terminal !== null && !host.env["NO_COLOR"],
    isUnicode: terminal === null || isUnicode,
    hasKeys,
  });
}

async function once(collector: Collector, host: Host, canvas: Canvas, isJson: boolean): Promise<Ending> {
  await Promise.race([collector.settled(), host.pause(ONCE_MS)]);
  const view = collector.view();
  if (view.broker.trouble !== null && view.nodes.length === 0) return failed(troubleText(view));
  const stdout = isJson ? fleetJson(view, host.version) : lines(watchLines(view, canvas), canvas.inColour);
  return { stdout, stderr: NOTHING, exitCode: view.nodes.length > 0 ? 0 : 1 };
}

/** Ends when the reader of stdout is gone. */
async function rows(collector: Collector, host: Host, intervalMs: number, isJson: boolean): Promise<Ending> {
  await Promise.race([collector.settled(), host.pause(Math.max(intervalMs, ONCE_MS))]);
  for (;;) {
    const view = collector.view();
    if (!host.print(isJson ? fleetJson(view, host.version) : lines(watchRows(view)))) return DONE;
    const due = host.pause(intervalMs);
    if (isJson) await due;
    else if (!(await changesUntil(due, collector, host, saidBy(view)))) return DONE;
  }
}

/** Prints each change until then, because a log's reader does not wait for the next picture. False: nobody reads. */
async function changesUntil(
  due: Promise<void>,
  collector: Collector,
  host: Host,
  first: Said,
): Promise<boolean> {
  let said = first;
  const { promise: left, resolve: leave } = Promise.withResolvers<false>();
  const stop = collector.onView(() => {
    const view = collector.view();
    const changed = changedRows(view, said);
    said = saidBy(view, said);
    if (changed.length > 0 && !host.print(lines(changed))) leave(false);
  });
  const isRead = await Promise.race([due.then(() => true), left]);
  stop();
  return isRead;
}

/**
 * Writes over the last picture from the top. Only the ends of lines and of the screen are cleared, so that nothing
 * flickers.
 */
function frame(shown: readonly string[], inColour: boolean): Printable {
  const cells = lines(shown, inColour).slice(0, -1).replaceAll("\n", "\x1b[K\n");
  return ours(`\x1b[?2026h\x1b[H${cells}\x1b[K\x1b[J\x1b[?2026l`);
}

/** The number of rows that a key scrolls. */
function scrolledBy(key: string, page: number): number {
  switch (key) {
    case "\x1b[A":
    case "\x1bOA":
    case "k":
      return -1;
    case "\x1b[B":
    case "\x1bOB":
    case "j":
      return 1;
    case "\x1b[5~":
      return -page;
    case "\x1b[6~":
    case " ":
      return page;
    default:
      return 0;
  }
}

function afterKey(stand: Stand, key: string, page: number, most: number): Stand {
  if (stand.wantsHelp) return { ...stand, wantsHelp: false };
  if (key === "?") return { ...stand, wantsHelp: true };
  const scroll = Math.max(0, Math.min(most, stand.scroll + scrolledBy(key, page)));
  return { ...stand, scroll };
}

/** Rows of the screen that show no node: the head, empty lines, the columns' names. */
const OTHER_ROWS = 6;

async function screen(
  collector: Collector,
  host: Host,
  terminal: Terminal,
  intervalMs: number,
  canvas: (hasKeys: boolean, rows: number) => Canvas,
): Promise<Ending> {
  const { promise: left, resolve: quit } = Promise.withResolvers<"left">();
  let stand = TOP;
  const draw = () => {
    const whole = canvas(true, terminal.size().rows);
    host.print(frame(watchLines(collector.view(), whole, stand), whole.inColour));
  };
  terminal.onKey((key) => {
    if (/^[qQ\x03\x04]$/.test(key)) quit("left");
    if (key === "\x1a") terminal.suspend();
    const page = Math.max(1, terminal.size().rows - OTHER_ROWS);
    stand = afterKey(stand, key, page, mostScroll(collector.view()));
    draw();
  });
  terminal.onResize(draw);
  terminal.takeScreen();
  let ended: string | undefined;
  while (ended !== "left") {
    draw();
    ended = (await Promise.race([host.pause(intervalMs), left])) ?? undefined;
  }
  terminal.restore();
  return DONE;
}
