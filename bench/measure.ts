import type { Container } from "../test/world/container.ts";
import type { Server } from "../test/world/server.ts";
import { instructions } from "./callgrind.ts";
import type { Charged } from "./cgroup.ts";
import { type Ask, type Contender, FLOOR } from "./contenders.ts";
import { startCountingProxy } from "./counting-proxy.ts";
import { dropPageCache } from "./page-cache.ts";
import { type Cost, run } from "./run.ts";
import { median, shuffled } from "./statistics.ts";

/** The place of all measurements. The contenders run in the container of the worker that they ask about. */
export interface Bench {
  readonly container: Container;
  readonly server: Server;
  /** The compiled `run.c`. */
  readonly launcher: string;
}

/** The number of runs for everything except time. Their median counts. */
const FEW = 5;

/** Callgrind's numbers differ by two percent, so a program that took longer than this is counted only once. */
const LONG_MS = 20_000;

/**
 * Runs every contender once in each round, in random order. So a slow moment of the machine affects all of them. One
 * round before does not count.
 *
 * @returns the costs of each contender, by round
 */
export async function measureCosts<Asking extends Pick<Contender, "command">>(
  bench: Bench,
  contenders: readonly Asking[],
  rounds: number,
  tell: (round: number) => void = () => undefined,
  ask: Ask = usual(bench),
): Promise<Map<Asking, Cost[]>> {
  const costs = new Map(contenders.map((contender) => [contender, [] as Cost[]]));
  for (let round = 0; round <= rounds; round++) {
    for (const contender of shuffled(contenders)) {
      const cost = await run(bench.container, bench.launcher, contender.command(ask));
      if (round > 0) costs.get(contender)?.push(cost);
    }
    tell(round);
  }
  return costs;
}

/** Instructions of one run in user mode, the median of up to three. */
export async function measureInstructions(
  { container, server }: Bench,
  contender: Pick<Contender, "command">,
): Promise<number> {
  const counts: number[] = [];
  const began = performance.now();
  while (counts.length === 0 || (counts.length < 3 && performance.now() - began < LONG_MS)) {
    const { file, args, env } = contender.command({ port: server.port, isSlow: true });
    counts.push(await instructions(file, args, env, container));
  }
  return median(counts);
}

/** The traffic of one run with Redis, the median of some runs. */
export interface MedianTraffic {
  readonly sentBytes: number;
  readonly receivedBytes: number;
  readonly commands: number;
}

/** @throws Error if a contender that should ask has not been seen to ask */
export async function measureTraffic(bench: Bench, contender: Contender): Promise<MedianTraffic> {
  const all = await times(FEW, async () => {
    await using proxy = await startCountingProxy(bench.server.port);
    const command = contender.command({ port: proxy.port, isSlow: false });
    await run(bench.container, bench.launcher, command);
    return await proxy.traffic();
  });
  if (contender.id !== FLOOR && all.some(({ commands }) => commands.length === 0)) {
    throw new Error(`${contender.name} has sent nothing through the proxy`);
  }
  return {
    sentBytes: median(all.map(({ sentBytes }) => sentBytes)),
    receivedBytes: median(all.map(({ receivedBytes }) => receivedBytes)),
    commands: median(all.map(({ commands }) => commands.length)),
  };
}

/** The memory that a container is charged for one run. Medians. */
export interface Charge {
  /** With the files already in the page cache. An earlier reader is charged for them. */
  readonly warmBytes: number;
  /** With an empty page cache. */
  readonly coldBytes: number;
  /** Milliseconds from start to end, with an empty page cache. */
  readonly coldMs: number;
}

export async function measureCharge(bench: Bench, charged: Charged, contender: Contender): Promise<Charge> {
  const once = () =>
    charged((procs) => run(bench.container, bench.launcher, contender.command(usual(bench)), procs));
  const cold = await times(FEW, async () => {
    await dropPageCache();
    return once();
  });
  // Outside of our cgroups, so that the files are not charged to a cgroup that is gone.
  await dropPageCache();
  await run(bench.container, bench.launcher, contender.command(usual(bench)));
  const warm = await times(FEW, once);
  return {
    warmBytes: median(warm.map(({ peakBytes }) => peakBytes)),
    coldBytes: median(cold.map(({ peakBytes }) => peakBytes)),
    coldMs: median(cold.map(({ result }) => result.wallMs)),
  };
}

export function usual({ server }: Bench): Ask {
  return { port: server.port, isSlow: false };
}

async function times<T>(count: number, work: () => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  while (results.length < count) results.push(await work());
  return results;
}
