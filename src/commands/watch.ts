import type { CommandConfig } from "../cli/command-options.ts";
import { HEARD_WITHIN_MS } from "../celery/heartbeat.ts";
import { discover } from "../discovery/discover.ts";
import type { Host } from "../host.ts";
import type { Terminal } from "../machine/parts.ts";
import { lines, NOTHING, ours, type Printable } from "../render/gate.ts";
import { watchRows } from "../render/watch-rows.ts";
import { planSession } from "../session/plan.ts";
import { type Canvas, troubleText, watchLines } from "../render/watch-text.ts";
import { observe, type Observer } from "../watch/observe.ts";
import { type Ending, failed, misused, type Run } from "./command.ts";

/** What has not been answered then is left out of the one picture, in milliseconds. */
const ONCE_MS = 4_500;

const DONE: Ending = { stdout: NOTHING, stderr: NOTHING, exitCode: 0 };

/**
 * Every worker and queue of the broker: a screen that is refreshed, lines where stdout is no terminal, or one picture.
 * A signal is the way to end the first two, whatever they wait for; a picture that it prevents has failed (app.ts).
 */
export const watch: Run<CommandConfig<"watch">> = (told, host) => {
  const watched = watchAll(told, host);
  return told.config.once.value ? watched : Promise.race([watched, host.interrupted.then(() => DONE)]);
};

const watchAll: Run<CommandConfig<"watch">> = async ({ config }, host) => {
  const whom = { kind: "workers", nodes: config.node.value, placement: "auto", pidfile: null } as const;
  const found = await discover(whom, config, host);
  if (!found.ok) return misused(found.problem);
  const { place, brokers, pids, named } = found.value;
  const plan = planSession(config, brokers, pids);
  const observer = observe(plan, place, host, { nodes: named, queues: config.queue.value });
  const terminal = await host.terminal();
  const isUnicode = /utf-?8/i.test(host.env["LC_ALL"] || host.env["LC_CTYPE"] || host.env["LANG"] || "");
  const canvas = (hasKeys: boolean, rows: number): Canvas => ({
    columns: terminal?.size().columns ?? Infinity,
    rows,
    inColour: terminal !== null && !host.env["NO_COLOR"],
    isUnicode: terminal === null || isUnicode,
    hasKeys,
  });
  const end = config.once.value
    ? await once(observer, host, canvas(false, Infinity))
    : terminal === null
      ? await rows(observer, host, config.interval.value)
      : await screen(observer, host, terminal, config.interval.value, canvas);
  observer.close();
  return end;
};

/** Looks until there is something to show: whoever sends heartbeats has been heard, and what was asked is answered. */
async function begin(observer: Observer, host: Host, withinMs = HEARD_WITHIN_MS): Promise<void> {
  await observer.look();
  await host.pause(Math.min(withinMs, HEARD_WITHIN_MS));
  await observer.settled();
  await observer.look();
  await observer.settled();
}

async function once(observer: Observer, host: Host, canvas: Canvas): Promise<Ending> {
  await Promise.race([begin(observer, host), host.pause(ONCE_MS)]);
  const view = await observer.look();
  if (view.trouble !== null) {
    return failed(troubleText(view));
  }
  const stdout = lines(watchLines(view, canvas), canvas.inColour);
  return { stdout, stderr: NOTHING, exitCode: view.nodes.length > 0 ? 0 : 1 };
}

/** Until the reader goes. */
async function rows(observer: Observer, host: Host, intervalMs: number): Promise<Ending> {
  await begin(observer, host, intervalMs);
  for (;;) {
    if (!host.print(lines(watchRows(await observer.look())))) return DONE;
    await host.pause(intervalMs);
  }
}

/** Home, each line to its end, the rest: nothing is cleared that is written again, so that nothing flickers. */
function frame(shown: readonly string[], inColour: boolean): Printable {
  const cells = lines(shown, inColour).slice(0, -1).replaceAll("\n", "\x1b[K\n");
  return ours(`\x1b[?2026h\x1b[H${cells}\x1b[K\x1b[J\x1b[?2026l`);
}

async function screen(
  observer: Observer,
  host: Host,
  terminal: Terminal,
  intervalMs: number,
  canvas: (hasKeys: boolean, rows: number) => Canvas,
): Promise<Ending> {
  let quit: () => void = () => undefined;
  const left = new Promise<"left">((resolve) => {
    quit = () => {
      resolve("left");
    };
  });
  let view: Awaited<ReturnType<Observer["look"]>> | null = null;
  const draw = () => {
    if (view === null) return;
    const whole = canvas(true, terminal.size().rows);
    host.print(frame(watchLines(view, whole), whole.inColour));
  };
  terminal.onKey((key) => {
    if (/^[qQ\x03\x04]$/.test(key)) quit();
    if (key === "\x1a") {
      terminal.suspend();
      draw();
    }
  });
  terminal.onResize(draw);
  terminal.takeScreen();
  host.print(frame(["connecting …"], false));
  let ended: string | undefined;
  while (ended !== "left") {
    view = (await Promise.race([observer.look(), left.then(() => null)])) ?? view;
    draw();
    ended = (await Promise.race([host.pause(intervalMs), left])) ?? undefined;
  }
  terminal.restore();
  return DONE;
}
