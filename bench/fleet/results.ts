import { type Costs, everyoneAlone, fitLine, fleetAt, type Line, workersAt } from "./compute.ts";
import { median } from "./numbers.ts";
import type { OneProbe } from "./one-probe.ts";
import type { RedisCost } from "./redis-cost.ts";
import type { Whole } from "./whole.ts";
import type { WorkerCost } from "./worker-cost.ts";

/** All that a run has measured, and where. */
export interface Results {
  readonly machine: Machine;
  readonly workers: readonly WorkerCost[];
  readonly redis: readonly RedisCost[];
  readonly probes: readonly OneProbe[];
  readonly whole: Whole;
}

export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly kernel: string;
  readonly server: string;
  readonly node: string;
  /** The executable's own words. */
  readonly probe: string;
  /** Load averages when the run began: of 1 and of 5 minutes. */
  readonly load: readonly [number, number];
  readonly date: string;
}

/** The fleet that the goals are for. */
export const AIM = everyoneAlone(1000, 30);

/**
 * More than this hurts. `worker`, `redis`: shares of a core. `longer`: what a probe may take longer in this fleet than
 * alone, as a share.
 */
export const GOALS = { worker: 0.001, redis: 0.05, longer: 0.1 } as const;

/** Redis' cost of a ping by the number of subscribers. */
export function redisLine({ redis }: Pick<Results, "redis">): Line {
  return fitLine(redis.map(({ listeners, cpu }) => ({ size: listeners, cost: cpu })));
}

/** The costs of one kind of worker, and of Redis, which are the same for all kinds. */
export function costsWith(worker: WorkerCost, results: Results): Costs {
  const { each: delivery } = redisLine(results);
  const { whole } = results;
  const smallest = first(results.probes.toSorted((a, b) => a.listeners - b.listeners));
  const largest = first(results.redis.toSorted((a, b) => b.listeners - a.listeners));
  return {
    heard: median(worker.ping),
    answered: median(worker.answer),
    probe: median(smallest.redis) - smallest.listeners * delivery,
    delivery,
    answer: (whole.broadcast.redis - whole.redisShare / whole.rate) / (whole.workers - 1),
    bytes: largest.bytes / largest.listeners,
  };
}

/** The kinds by what a ping costs them, the cheapest first. */
export function byCost(results: Results): readonly WorkerCost[] {
  return results.workers.toSorted((a, b) => median(a.ping) - median(b.ping));
}

/** How many workers may share a channel at this interval before a goal is missed. */
export function limits(results: Results, interval: number): { worker: [number, number]; redis: number } {
  const kinds = byCost(results).map((kind) => costsWith(kind, results));
  const worker = kinds.map((costs) => Math.max(0, workersAt(costs, GOALS.worker, interval)));
  return {
    worker: [Math.min(...worker), Math.max(...worker)],
    redis: fleetAt(first(kinds), GOALS.redis, interval),
  };
}

export function first<T>(values: readonly T[]): T {
  const [value] = values;
  if (value === undefined) throw new RangeError("nothing was measured");
  return value;
}
