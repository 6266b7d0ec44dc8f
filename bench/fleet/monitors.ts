import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { startFlower } from "../../test/world/flower.ts";
import { ProcessGroup } from "../../test/world/process-group.ts";
import { celeryVenv } from "../../test/world/python.ts";
import { freePort } from "../../test/world/server.ts";
import { median } from "../statistics.ts";
import { cpuDuring, residentOf } from "./cpu.ts";
import type { Fleet } from "./fleet.ts";

/** What watching a fleet costs; shares are of one core, beyond what the same processes use unwatched. */
export interface MonitorCosts {
  readonly name: string;
  /** Of the monitor itself. */
  readonly own: number;
  readonly redis: number;
  /** The median of the real workers. */
  readonly worker: number;
  /** Sent by Redis. */
  readonly bytesPerS: number;
  /** Of the monitor itself, in bytes. */
  readonly resident: number;
  /** One scrape: seconds by the clock, and bytes. */
  readonly scrapeS: number;
  readonly scrapeBytes: number;
}

/** A program that watches a fleet and tells by HTTP what it knows. */
interface Monitor extends AsyncDisposable {
  readonly pid: number;
  readonly url: string;
}

/** Seconds from one scrape to the next, and from one round of ours to the next. */
export const INTERVAL_S = 30;

/** Scraped twice before it is measured: what is done once, at the start, does not count. */
const WARM = 2;

/** Watches the fleet by one after the other. `intervals` of {@link INTERVAL_S} are measured of each. */
export async function measureMonitors(
  fleet: Fleet,
  executable: string,
  intervals: number,
): Promise<readonly MonitorCosts[]> {
  const unwatched = await fleet.use(() => pause(INTERVAL_S * 1_000));
  const starts = {
    "celery-probe serve": () => startServe(executable, fleet.server.url()),
    Flower: () => startFlowerHere(fleet.server.url()),
    "`stats` and `active_queues` by Celery": () => startTwoQuestions(fleet.server.url()),
  };
  const costs: MonitorCosts[] = [];
  for (const [name, start] of Object.entries(starts)) {
    await using monitor = await start();
    for (let turn = 0; turn < WARM; turn++) await scrape(monitor);
    const scrapes: Awaited<ReturnType<typeof scrape>>[] = [];
    let own = 0;
    const use = await fleet.use(async () => {
      const used = await cpuDuring([monitor.pid], async () => {
        for (let turn = 0; turn < intervals; turn++) {
          const one = await scrape(monitor);
          scrapes.push(one);
          await pause(INTERVAL_S * 1_000 - one.seconds * 1_000);
        }
      });
      own = (used.cpu[0] ?? Number.NaN) / used.seconds;
    });
    const [redis = Number.NaN, ...workers] = use.cpu.map(
      (cpu, at) => cpu / use.seconds - (unwatched.cpu[at] ?? Number.NaN) / unwatched.seconds,
    );
    costs.push({
      name,
      own,
      redis,
      worker: median(workers),
      bytesPerS: use.bytes / use.seconds - unwatched.bytes / unwatched.seconds,
      resident: residentOf(monitor.pid),
      scrapeS: median(scrapes.map(({ seconds }) => seconds)),
      scrapeBytes: median(scrapes.map(({ bytes }) => bytes)),
    });
    console.log(`  ${name}: ${JSON.stringify(costs.at(-1))}`);
  }
  return costs;
}

/** Asks a monitor for all that it knows. */
async function scrape({ url }: Monitor): Promise<{ readonly seconds: number; readonly bytes: number }> {
  const began = performance.now();
  const response = await fetch(url);
  const text = await response.text();
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${text.slice(0, 200)}`);
  return { seconds: (performance.now() - began) / 1_000, bytes: text.length };
}

async function startServe(executable: string, broker: string): Promise<Monitor> {
  const words = (port: number) => [
    "serve",
    `--listen=127.0.0.1:${port}`,
    `--interval=${INTERVAL_S}s`,
    "--placement=remote",
  ];
  return startProgram(executable, words, { CELERY_PROBE_BROKER: broker }, "/metrics");
}

async function startTwoQuestions(broker: string): Promise<Monitor> {
  const { python } = await celeryVenv("5.7.0");
  const words = (port: number) => [join(import.meta.dirname, "two-questions.py"), broker, String(port)];
  return startProgram(python, words, {}, "/");
}

async function startFlowerHere(broker: string): Promise<Monitor> {
  const flower = await startFlower(broker);
  const url = `http://127.0.0.1:${flower.port}/metrics`;
  return { pid: flower.pid, url, [Symbol.asyncDispose]: () => flower[Symbol.asyncDispose]() };
}

async function startProgram(
  command: string,
  words: (port: number) => readonly string[],
  env: Readonly<Record<string, string>>,
  path: string,
): Promise<Monitor> {
  const port = await freePort();
  const group = await ProcessGroup.start({
    what: "a monitor",
    command,
    args: () => words(port),
    env: (folder) => ({ PATH: "/usr/bin:/bin", HOME: folder, LANG: "C.UTF-8", ...env }),
  });
  await group.waitForLog(/listening/);
  const stop = () => group.stop(0).then(() => undefined);
  return { pid: group.pid, url: `http://127.0.0.1:${port}${path}`, [Symbol.asyncDispose]: stop };
}
