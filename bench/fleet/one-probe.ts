import { setTimeout as pause } from "node:timers/promises";
import { cpuDuring, cpuOfEndedChildren } from "./cpu.ts";
import { Fleet } from "./fleet.ts";
import { median } from "./numbers.ts";
import { answerTimes } from "./answer-times.ts";
import { probeOne } from "./probe.ts";

/** What one run of the executable costs in a fleet of so many. */
export interface OneProbe {
  readonly listeners: number;
  /** Each run, milliseconds by the clock. */
  readonly ms: readonly number[];
  /** CPU seconds of the executable, mean: the kernel counts those of ended children in hundredths of a second. */
  readonly cpu: number;
  /** CPU seconds of Redis for each run, connection included. */
  readonly redis: readonly number[];
  /** Milliseconds from PUBLISH to the worker's LPUSH, by Redis' own clock. */
  readonly answerMs: readonly number[];
}

/** Between two runs, so that one does not pay for the other, in milliseconds. */
const REST_MS = 30;

/** Probes a worker in fleets of several sizes, in turns: what disturbs the machine disturbs all of them. */
export async function measureOneProbe(
  executable: string,
  sizes: readonly number[],
  rounds: number,
): Promise<readonly OneProbe[]> {
  await using stack = new AsyncDisposableStack();
  const fleets: Fleet[] = [];
  for (const size of sizes) {
    fleets.push(stack.use(await Fleet.start({ workers: [{ celery: "5.7.0", pool: "prefork" }], size })));
  }
  const costs = fleets.map((fleet) => ({ fleet, ms: [] as number[], redis: [] as number[], cpu: 0 }));
  const idle = await cpuDuring(
    fleets.map(({ server }) => server.pid),
    () => pause(2_000),
  );
  // The first round warms the page cache and does not count.
  for (let round = 0; round <= rounds; round++) {
    for (const [at, cost] of costs.entries()) {
      const { server, workers } = cost.fleet;
      const children = cpuOfEndedChildren();
      let ms = 0;
      const use = await cpuDuring([server.pid], async () => {
        const probed = await probeOne(executable, cost.fleet, workers[0]);
        if (!probed.healthy) throw new Error(`a healthy worker was called: ${probed.said}`);
        ms = probed.ms;
        await pause(REST_MS);
      });
      if (round === 0) continue;
      cost.ms.push(ms);
      cost.cpu += (cpuOfEndedChildren() - children) / rounds;
      cost.redis.push((use.cpu[0] ?? 0) - ((idle.cpu[at] ?? 0) / idle.seconds) * use.seconds);
    }
  }
  const measured: OneProbe[] = [];
  for (const { fleet, ms, cpu, redis } of costs) {
    const answerMs = await answerTimes(fleet, rounds);
    await fleet.assertWhole();
    measured.push({ listeners: fleet.size, ms, cpu, redis, answerMs });
    const [probeMs, pongMs] = [median(ms), median(answerMs)];
    console.log(
      `  N = ${fleet.size}: a probe ${probeMs.toFixed(0)} ms, PUBLISH to pong ${pongMs.toFixed(2)} ms`,
    );
  }
  return measured;
}
