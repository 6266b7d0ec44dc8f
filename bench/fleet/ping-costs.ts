import { setTimeout as pause } from "node:timers/promises";
import { execa } from "execa";
import { median } from "../statistics.ts";
import { costOfEach } from "./cpu.ts";
import { type Fleet, pidfileOf, steadily, VERSIONS } from "./fleet.ts";

/** The cost of one ping in a fleet of `size`; CPU in seconds. */
export interface PingCosts {
  readonly size: number;
  /** A worker that reads the ping and drops it, and a worker that answers it, by version of Celery. */
  readonly workers: readonly {
    readonly version: string;
    readonly heard: number;
    readonly answered: number;
  }[];
  readonly redis: number;
  /** Sent by Redis. */
  readonly bytes: number;
  /** One run of `celery-probe` in such a fleet, in seconds by the clock. */
  readonly probeS: number;
}

/** Pings per second: as many as for 1,000 workers, each asked every 30 s. A busier worker pays less for each ping. */
const RATE = 1_000 / 30;

export async function measurePings(fleet: Fleet, executable: string, seconds: number): Promise<PingCosts> {
  const count = Math.round(RATE * seconds);
  const all = fleet.workers.map(({ node }) => node);
  const idle = await fleet.use(() => pause(seconds * 1_000));
  const heard = await fleet.use(() => steadily(RATE, count, () => fleet.ping(["celery@somebody-else"])));
  const answered = await fleet.use(() => steadily(RATE, count, () => fleet.ping(all)));
  const [redis = Number.NaN, ...hearing] = costOfEach(heard, idle, count);
  const [, ...answering] = costOfEach(answered, idle, count);
  const ofVersion = (costs: readonly number[], turn: number) =>
    median(costs.filter((_, at) => at % VERSIONS.length === turn));
  const probes: number[] = [];
  const env = { CELERY_PROBE_BROKER: fleet.server.url() };
  for (const worker of fleet.workers.slice(0, 10)) {
    const words = ["--pidfile", pidfileOf(worker)];
    const { durationMs } = await execa(executable, words, { env, extendEnv: false, stdin: "ignore" });
    probes.push(durationMs / 1_000);
  }
  return {
    size: fleet.size,
    workers: VERSIONS.map((version, turn) => ({
      version,
      heard: ofVersion(hearing, turn),
      answered: ofVersion(answering, turn),
    })),
    redis,
    bytes: (heard.bytes - (idle.bytes / idle.seconds) * heard.seconds) / count,
    probeS: median(probes),
  };
}
