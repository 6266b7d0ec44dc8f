import { readdirSync, readFileSync } from "node:fs";
import { ProcessGroup } from "./process-group.ts";
import { until } from "./until.ts";

/** A `serve` that watches one broker remotely, on a free port. Ends with `await using`. */
export interface Serving extends AsyncDisposable {
  readonly pid: number;
  readonly port: number;
  readonly isRunning: () => boolean;
  readonly status: (path: string) => Promise<number>;
  readonly text: (path: string) => Promise<string>;
  /** Resident memory in bytes. */
  readonly resident: () => number;
  readonly openFiles: () => number;
}

/** @param words further options */
export async function startServing(
  executable: string,
  broker: string,
  words: readonly string[] = [],
): Promise<Serving> {
  const group = await ProcessGroup.start({
    what: "serve",
    command: executable,
    args: () => ["serve", "--listen=127.0.0.1:0", "--placement=remote", ...words],
    env: () => ({ CELERY_PROBE_BROKER: broker }),
  });
  const [, port = ""] = await group.waitForLog(/^listening on http:\/\/127\.0\.0\.1:(\d+)$/m);
  const get = (path: string) => fetch(`http://127.0.0.1:${port}${path}`);
  return {
    pid: group.pid,
    port: Number(port),
    isRunning: () => group.isRunning,
    status: async (path) => {
      const response = await get(path);
      await response.body?.cancel();
      return response.status;
    },
    text: async (path) => (await get(path)).text(),
    resident: () => residentOf(group.pid),
    openFiles: () => readdirSync(`/proc/${group.pid}/fd`).length,
    [Symbol.asyncDispose]: () => group.stop(0).then(() => undefined),
  };
}

/** Resolves when it has finished its first round and reports this many healthy workers. */
export async function untilHealthy({ status }: Serving, workers: number): Promise<void> {
  await until("the first round", async () => (await status("/readyz")) === 200);
  await until(`${workers} healthy workers`, async () => (await status(`/fleet?min=${workers}`)) === 200);
}

/** Resident memory of a process in bytes. */
export function residentOf(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kilobytes) * 1_024;
}
