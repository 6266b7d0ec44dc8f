import { randomUUID } from "node:crypto";
import { availableParallelism } from "node:os";
import { pidboxChannel, publishQuestion } from "../../test/world/pidbox-by-hand.ts";
import { startScriptedWorkers } from "../../test/world/scripted-workers.ts";
import { type Server, startServer } from "../../test/world/server.ts";
import { startWorker, type Worker } from "../../test/world/worker.ts";
import { cpuDuring, type Use } from "./cpu.ts";

/** The oldest and the newest Celery in wide use. The real workers use them in turn. */
export const VERSIONS = ["5.2.7", "5.7.0"] as const;

/** The name of the pid file in a worker's folder. With it the probe sees that worker alone, as in a container. */
const PIDFILE = "worker.pid";

export function pidfileOf({ pid }: Worker): string {
  return `/proc/${pid}/cwd/${PIDFILE}`;
}

/** What Redis (the first of `cpu`) and the real workers use, and how many bytes Redis sends. */
export interface FleetUse extends Use {
  readonly bytes: number;
}

/** Real workers among scripted ones, on their own server. */
export interface Fleet extends AsyncDisposable {
  readonly server: Server;
  readonly workers: readonly Worker[];
  readonly size: number;
  readonly use: (work: () => Promise<unknown>) => Promise<FleetUse>;
  /** Publishes a ping that only `nodes` answer. */
  readonly ping: (nodes: readonly string[]) => Promise<unknown>;
}

/** @throws Error if a worker does not start, or if not all of the fleet listen */
export async function startFleet(real: number, size: number): Promise<Fleet> {
  await using stack = new AsyncDisposableStack();
  const server = stack.use(await startServer());
  // Redis serves subscribers in the order of their subscriptions. The real ones are in the middle.
  const before = Math.floor((size - real) / 2);
  stack.use(await startScriptedWorkers(server.port, before));
  const workers = await startWorkers(server, real, stack);
  stack.use(await startScriptedWorkers(server.port, size - real - before, before));
  const redis = server.client();
  stack.defer(() => {
    redis.disconnect();
  });
  const channel = pidboxChannel(0);
  const listening = await redis.publish(channel, "");
  if (listening !== size) throw new Error(`${listening} of ${size} listen`);
  const bytesSent = async () =>
    Number(/^total_net_output_bytes:(\d+)/m.exec(await redis.info("stats"))?.[1] ?? Number.NaN);
  const replyKey = `${randomUUID()}.reply.celery.pidbox`;
  const owned = stack.move();
  return {
    server,
    workers,
    size,
    use: async (work) => {
      const before = await bytesSent();
      const used = await cpuDuring([server.pid, ...workers.map(({ pid }) => pid)], work);
      return { ...used, bytes: (await bytesSent()) - before };
    },
    ping: (destination) =>
      publishQuestion(redis, {
        channel,
        method: "ping",
        destination,
        replyKey,
        ticket: randomUUID(),
        ttl: 60,
      }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** A start takes a second of a core. Only a few start at a time, so that none is late. */
async function startWorkers(
  server: Server,
  count: number,
  stack: AsyncDisposableStack,
): Promise<readonly Worker[]> {
  const workers: Worker[] = [];
  // With gossip, each of them would read 500 heartbeats a second. With mingle, each start would ask the whole fleet.
  const args = ["--without-mingle", "--without-gossip", `--pidfile=${PIDFILE}`];
  while (workers.length < count) {
    const batch = Math.min(2 * availableParallelism(), count - workers.length);
    const starts = Array.from({ length: batch }, async (_, at) => {
      const celery = VERSIONS[(workers.length + at) % VERSIONS.length] ?? VERSIONS[0];
      return stack.use(await startWorker({ celery, server, args }));
    });
    const started = await Promise.allSettled(starts);
    for (const start of started) {
      if (start.status === "rejected") throw start.reason;
      workers.push(start.value);
    }
  }
  return workers;
}

/** Acts `count` times, `rate` times per second. An act that takes longer delays the next one. */
export async function steadily(rate: number, count: number, act: () => Promise<unknown>): Promise<void> {
  const began = performance.now();
  for (let turn = 0; turn < count; turn++) {
    const early = began + (turn * 1_000) / rate - performance.now();
    await new Promise((done) => setTimeout(done, Math.max(0, early)));
    await act();
  }
}
