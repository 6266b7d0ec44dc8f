import { setTimeout as pause } from "node:timers/promises";
import { PAIRS } from "../../test/world/pairs.ts";
import { costOfEach, median } from "./numbers.ts";
import { Fleet, type Kind } from "./fleet.ts";
import { hearHeartbeats } from "./heartbeats.ts";
import { steadily } from "./pinger.ts";

/** CPU seconds of a worker's main process. Each is a list, one a round. */
export interface WorkerCost {
  readonly name: string;
  /** Share of a core when nothing happens, heartbeats of three others heard. */
  readonly idle: readonly number[];
  /** For a message without content: waking, and reading it from the socket. */
  readonly wake: readonly number[];
  /** For a ping to somebody else. */
  readonly ping: readonly number[];
  /** For a ping to it, answer included. */
  readonly answer: readonly number[];
  /** For another worker's heartbeat, which gossip makes it hear. */
  readonly heartbeat: readonly number[];
}

/** The oldest and the newest in wide use, and the pool that works differently. */
const KINDS: readonly Kind[] = [
  { celery: "5.2.7", pool: "prefork" },
  { celery: "5.7.0", pool: "prefork" },
  { celery: "5.7.0", pool: "gevent" },
];

/** As many messages a second as 1,000 workers make that are probed every 30 s: a busier worker pays less for each. */
export const RATE = 1000 / 30;

/** Measures the kinds side by side: each hears every message. */
export async function measureWorkers(rounds: number, seconds: number): Promise<readonly WorkerCost[]> {
  const speaker: Kind = { celery: "5.7.0", pool: "solo" };
  await using fleet = await Fleet.start({ workers: [...KINDS, speaker], size: KINDS.length + 1 });
  const asked = fleet.workers.slice(0, KINDS.length);
  const redis = fleet.server.client();
  await using heartbeats = await hearHeartbeats(fleet.server, fleet.workers[KINDS.length]?.node ?? "");
  const { pinger } = fleet;
  const acts = {
    wake: () => redis.publish(pinger.channel, ""),
    ping: () => pinger.ping("celery@somebody-else"),
    answer: () => pinger.ping(...asked.map(({ node }) => node)),
    heartbeat: () => heartbeats.repeat(redis),
  };
  const costs = KINDS.map(({ celery, pool }) => ({
    name: `${celery} ${pool} (kombu ${PAIRS[celery].kombu})`,
    ...({ idle: [], wake: [], ping: [], answer: [], heartbeat: [] } as Record<
      "idle" | keyof typeof acts,
      number[]
    >),
  }));
  const count = Math.round(RATE * seconds);
  for (let round = 0; round < rounds; round++) {
    const idle = await fleet.use(() => pause(seconds * 1000));
    for (const [act, perform] of Object.entries(acts) as [keyof typeof acts, () => Promise<unknown>][]) {
      const use = await fleet.use(() => steadily(RATE, count, perform));
      const [, ...each] = costOfEach(use, idle, count);
      costs.forEach((cost, at) => cost[act].push(each[at] ?? Number.NaN));
    }
    costs.forEach((cost, at) => cost.idle.push((idle.cpu[at + 1] ?? Number.NaN) / idle.seconds));
  }
  await fleet.assertWhole();
  for (const { name, ping, answer } of costs) {
    console.log(`  ${name}: ${micro(ping)} µs a ping to others, ${micro(answer)} µs a ping to it`);
  }
  return costs;
}

function micro(seconds: readonly number[]): string {
  return (median(seconds) * 1e6).toFixed(0);
}
