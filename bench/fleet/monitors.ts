import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { probeTimes } from "../../test/serve/slow-clients.ts";
import { startFlower } from "../../test/world/flower.ts";
import { ProcessGroup } from "../../test/world/process-group.ts";
import { celeryVenv } from "../../test/world/python.ts";
import { freePort } from "../../test/world/server.ts";
import { residentOf, startServing, untilHealthy } from "../../test/world/serving.ts";
import { median, quantile } from "../statistics.ts";
import { cpuDuring } from "./cpu.ts";
import type { Fleet } from "./fleet.ts";

/** The costs of watching a fleet. Shares are of one core, without what the same processes use unwatched. */
export interface MonitorCosts {
  readonly name: string;
  /** The monitor's own share. */
  readonly own: number;
  readonly redis: number;
  /** The median of the real workers. */
  readonly worker: number;
  /** Sent by Redis. */
  readonly bytesPerS: number;
  /** The monitor's own memory, in bytes. */
  readonly resident: number;
  /** One scrape: seconds by the clock, and bytes. */
  readonly scrapeS: number;
  readonly scrapeBytes: number;
  /** The 99th percentile of the time to answer a probe beside slow clients; null: it does not answer probes. */
  readonly answerS: number | null;
}

/** A program that watches a fleet and reports by HTTP. */
interface Monitor extends AsyncDisposable {
  readonly pid: number;
  readonly url: string;
  /** The time of each answer beside slow clients, in milliseconds. */
  readonly answers?: () => Promise<readonly number[]>;
}

/** Seconds between two scrapes, and between two of our rounds. */
export const INTERVAL_S = 30;

/** The time before the measurement starts, in milliseconds. Work that is done once at the start does not count. */
const WARM_MS = 10_000;

/** Probes that are answered beside slow clients. */
const PROBES = 1_000;

/** Lets one monitor after the other watch the fleet. Measures `intervals` of {@link INTERVAL_S} with each. */
export async function measureMonitors(
  fleet: Fleet,
  executable: string,
  intervals: number,
): Promise<readonly MonitorCosts[]> {
  const unwatched = await fleet.use(() => pause(INTERVAL_S * 1_000));
  const starts = {
    "celery-probe serve": () => startServe(executable, fleet),
    Flower: () => startFlowerHere(fleet.server.url()),
    "`stats` and `active_queues` by Celery": () => startTwoQuestions(fleet.server.url()),
  };
  const costs: MonitorCosts[] = [];
  for (const [name, start] of Object.entries(starts)) {
    await using monitor = await start();
    await scrape(monitor);
    await pause(WARM_MS);
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
      answerS: monitor.answers === undefined ? null : quantile(await monitor.answers(), 0.99) / 1_000,
    });
    console.log(`  ${name}: ${JSON.stringify(costs.at(-1))}`);
  }
  return costs;
}

/** Requests everything that a monitor knows. */
async function scrape({ url }: Monitor): Promise<{ readonly seconds: number; readonly bytes: number }> {
  const began = performance.now();
  const response = await fetch(url);
  const text = await response.text();
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${text.slice(0, 200)}`);
  return { seconds: (performance.now() - began) / 1_000, bytes: text.length };
}

async function startServe(executable: string, { server, size }: Fleet): Promise<Monitor> {
  const serve = await startServing(executable, server.url(), [`--interval=${INTERVAL_S}s`]);
  await untilHealthy(serve, size);
  return {
    ...serve,
    url: `http://127.0.0.1:${serve.port}/metrics`,
    answers: () => probeTimes(serve.port, PROBES),
  };
}

async function startTwoQuestions(broker: string): Promise<Monitor> {
  const { python } = await celeryVenv("5.7.0");
  const port = await freePort();
  const group = await ProcessGroup.start({
    what: "two questions",
    command: python,
    args: () => [join(import.meta.dirname, "two-questions.py"), broker, String(port)],
    env: (folder) => ({ PATH: "/usr/bin:/bin", HOME: folder, LANG: "C.UTF-8" }),
  });
  await group.waitForLog(/listening/);
  const stop = () => group.stop(0).then(() => undefined);
  return { pid: group.pid, url: `http://127.0.0.1:${port}/`, [Symbol.asyncDispose]: stop };
}

async function startFlowerHere(broker: string): Promise<Monitor> {
  const flower = await startFlower(broker);
  const url = `http://127.0.0.1:${flower.port}/metrics`;
  return { pid: flower.pid, url, [Symbol.asyncDispose]: () => flower[Symbol.asyncDispose]() };
}
