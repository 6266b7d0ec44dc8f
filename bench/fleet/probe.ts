import { execa } from "execa";
import type { Worker } from "../../test/world/worker.ts";
import { type Fleet, pidfileOf } from "./fleet.ts";

/** How a run of the executable ended. */
export interface Probed {
  readonly healthy: boolean;
  readonly said: string;
  /** From start to end, milliseconds. */
  readonly ms: number;
}

/** Runs the executable with nothing but the broker in its environment. */
export async function probe(executable: string, fleet: Fleet, args: readonly string[]): Promise<Probed> {
  const env = { CELERY_BROKER_URL: fleet.server.url() };
  const ended = await execa(executable, args, { env, extendEnv: false, reject: false, stdin: "ignore" });
  const said = `${ended.stdout}${ended.stderr}`;
  return { healthy: ended.exitCode === 0 && said.startsWith("healthy: alive"), said, ms: ended.durationMs };
}

/** Probes one worker, and sees it alone as in its container: all workers of a fleet run on this machine. */
export function probeOne(executable: string, fleet: Fleet, worker: Worker | undefined): Promise<Probed> {
  if (worker === undefined) throw new Error("the fleet has no such worker");
  return probe(executable, fleet, ["--pidfile", pidfileOf(worker)]);
}
