import { setTimeout as pause } from "node:timers/promises";
import { Fleet } from "./fleet.ts";
import { costOfEach } from "./numbers.ts";
import { steadily } from "./pinger.ts";

/** What one ping costs Redis where so many listen. */
export interface RedisCost {
  readonly listeners: number;
  /** Pings a second, as they were sent. */
  readonly rate: number;
  readonly pings: number;
  /** CPU seconds of the server for each: MULTI, the reply list, PUBLISH with its deliveries; without a connection. */
  readonly cpu: number;
  /** Sent by the server for each. */
  readonly bytes: number;
}

/** Deliveries a second that the readers keep up with on part of a core; no more pings than this. */
const DELIVERIES = 20_000;
const FASTEST = 200;

/** Measures the server with scripted subscribers only. */
export async function measureRedis(sizes: readonly number[], seconds: number): Promise<readonly RedisCost[]> {
  const costs: RedisCost[] = [];
  for (const size of sizes) {
    await using fleet = await Fleet.start({ workers: [], size });
    const idle = await fleet.use(() => pause(seconds * 1000));
    const wanted = Math.min(FASTEST, DELIVERIES / size);
    const pings = Math.ceil(wanted * seconds);
    const use = await fleet.use(() =>
      steadily(wanted, pings, () => fleet.pinger.ping("celery@somebody-else")),
    );
    await fleet.assertWhole();
    const [cpu = Number.NaN] = costOfEach(use, idle, pings);
    const bytes = (use.bytes - (idle.bytes / idle.seconds) * use.seconds) / pings;
    costs.push({ listeners: size, rate: pings / use.seconds, pings, cpu, bytes });
    console.log(`  ${size} subscribers: ${(cpu * 1e6).toFixed(0)} µs, ${bytes.toFixed(0)} bytes a ping`);
  }
  return costs;
}
