import { availableParallelism } from "node:os";
import { setTimeout as pause } from "node:timers/promises";
import { Fleet } from "./fleet.ts";
import { costOfEach, median } from "./numbers.ts";
import { steadily } from "./pinger.ts";
import { probe, type Probed, probeOne } from "./probe.ts";
import { RATE } from "./worker-cost.ts";

/** The real executable at a fleet's rate. Shares are of one core, less what the same processes use unprobed. */
export interface Whole {
  readonly workers: number;
  readonly listeners: number;
  /** Probes a second, as they were started. */
  readonly rate: number;
  readonly probes: number;
  /** What the probes said that did not say alive. */
  readonly failures: readonly string[];
  /** Each probe, milliseconds by the clock. */
  readonly ms: readonly number[];
  readonly redisShare: number;
  readonly workerShares: readonly number[];
  readonly bytesPerSecond: number;
  /** Of one `--min-nodes` that every real worker answers. */
  readonly broadcast: { readonly redis: number; readonly worker: number; readonly ms: readonly number[] };
}

export interface WholeOptions {
  readonly executable: string;
  readonly workers: number;
  readonly size: number;
  readonly seconds: number;
  /** CPU seconds of one run of the executable. */
  readonly probeCpu: number;
}

/** Of the machine's cores for the probes: Redis, readers and workers need theirs, and nobody should wait for one. */
const CORES_FOR_PROBES = 1 / 3;

/** How often everybody is asked at once, and how often a second. */
const BROADCASTS = 20;
const BROADCAST_RATE = 4;

export async function measureWhole(options: WholeOptions): Promise<Whole> {
  const { executable, workers, size, seconds, probeCpu } = options;
  const kind = { celery: "5.7.0", pool: "prefork" } as const;
  await using fleet = await Fleet.start({ workers: Array.from({ length: workers }, () => kind), size });
  const rate = Math.min(RATE, (availableParallelism() * CORES_FOR_PROBES) / probeCpu);
  const idle = await fleet.use(() => pause((seconds * 1000) / 3));

  const probes = Math.round(rate * seconds);
  const running: Promise<Probed>[] = [];
  let started = 0;
  const use = await fleet.use(async () => {
    const began = performance.now();
    await steadily(rate, probes, (turn) => {
      running.push(probeOne(executable, fleet, fleet.workers[turn % workers]));
      return Promise.resolve();
    });
    started = (probes - 1) / ((performance.now() - began) / 1000);
    await Promise.all(running);
  });
  const ended = await Promise.all(running);
  const failures = ended.filter(({ healthy }) => !healthy).map(({ said }) => said);
  const [redis = Number.NaN, ...each] = costOfEach(use, idle, use.seconds);

  const asked: Probed[] = [];
  const all = await fleet.use(() =>
    steadily(BROADCAST_RATE, BROADCASTS, async () => {
      asked.push(await probe(executable, fleet, ["--min-nodes", String(workers)]));
    }),
  );
  failures.push(...asked.filter(({ healthy }) => !healthy).map(({ said }) => said));
  const [redisAll = Number.NaN, ...eachAll] = costOfEach(all, idle, BROADCASTS);
  await fleet.assertWhole();
  console.log(
    `  ${probes} probes at ${started.toFixed(1)}/s, ${failures.length} failed: ` +
      `Redis ${(redis * 100).toFixed(1)} %, a worker ${(median(each) * 100).toFixed(2)} %`,
  );
  return {
    workers,
    listeners: size - workers,
    rate: started,
    probes,
    failures,
    ms: ended.map(({ ms }) => ms),
    redisShare: redis,
    workerShares: each,
    bytesPerSecond: use.bytes / use.seconds - idle.bytes / idle.seconds,
    broadcast: { redis: redisAll, worker: median(eachAll), ms: asked.map(({ ms }) => ms) },
  };
}
