import { availableParallelism } from "node:os";
import { type Server, startServer } from "../../test/world/server.ts";
import { startWorker, type Worker } from "../../test/world/worker.ts";
import type { WorkerOptions } from "../../test/world/worker-command.ts";
import { cpuDuring } from "./cpu.ts";
import { startListeners } from "./listeners.ts";
import { Pinger } from "./pinger.ts";

/** In the folder where a worker runs. */
const PIDFILE = "worker.pid";

/** Which worker, of which Celery. */
export type Kind = Required<Pick<WorkerOptions, "celery" | "pool">>;

export interface FleetOptions {
  readonly workers: readonly Kind[];
  /** Workers and scripted subscribers together. */
  readonly size: number;
}

/** Real workers, and scripted subscribers that fill up to a size, on a server of their own. */
export class Fleet implements AsyncDisposable {
  readonly server: Server;
  readonly pinger: Pinger;
  readonly workers: readonly Worker[];
  readonly size: number;
  readonly #stack: AsyncDisposableStack;

  private constructor(
    server: Server,
    pinger: Pinger,
    workers: readonly Worker[],
    size: number,
    stack: AsyncDisposableStack,
  ) {
    this.server = server;
    this.pinger = pinger;
    this.workers = workers;
    this.size = size;
    this.#stack = stack;
  }

  /** @throws Error when a worker does not start, or not all of the fleet listen */
  static async start({ workers: kinds, size }: FleetOptions): Promise<Fleet> {
    await using stack = new AsyncDisposableStack();
    const server = stack.use(await startServer());
    const pinger = stack.use(await Pinger.open(server.url()));
    const listeners = size - kinds.length;
    // Redis serves subscribers in the order in which they came: the workers are amid the others.
    const before = Math.floor(listeners / 2);
    stack.use(await startListeners(server.port, pinger.channel, before));
    const workers = await startWorkers(server, kinds, stack);
    stack.use(await startListeners(server.port, pinger.channel, listeners - before));
    const fleet = new Fleet(server, pinger, workers, size, stack.move());
    await fleet.assertWhole();
    return fleet;
  }

  /** That everybody listens: who is gone makes the rest look cheap. */
  async assertWhole(): Promise<void> {
    const redis = this.server.client();
    const listening = await redis.publish(this.pinger.channel, "");
    redis.disconnect();
    if (listening !== this.size) throw new Error(`${listening} of ${this.size} listen`);
  }

  /** What Redis (the first) and the workers use while `work` goes on, and how many bytes Redis sends. */
  async use(work: () => Promise<unknown>) {
    const before = await this.#bytesSent();
    const used = await cpuDuring([this.server.pid, ...this.workers.map(({ pid }) => pid)], work);
    return { ...used, bytes: (await this.#bytesSent()) - before };
  }

  async #bytesSent(): Promise<number> {
    const redis = this.server.client();
    const info = await redis.info("stats");
    redis.disconnect();
    const sent = /^total_net_output_bytes:(\d+)/m.exec(info)?.[1];
    if (sent === undefined) throw new Error("INFO stats says no total_net_output_bytes");
    return Number(sent);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync();
  }
}

/** The file with the worker's process number, which it has written itself. */
export function pidfileOf({ pid }: Worker): string {
  return `/proc/${pid}/cwd/${PIDFILE}`;
}

/** A start takes a second of a core: a few at a time, so that none is late. */
async function startWorkers(
  server: Server,
  kinds: readonly Kind[],
  stack: AsyncDisposableStack,
): Promise<readonly Worker[]> {
  const workers: Worker[] = [];
  const atOnce = 2 * availableParallelism();
  for (let first = 0; first < kinds.length; first += atOnce) {
    const starts = kinds.slice(first, first + atOnce).map(async (kind) => {
      // Mingling asks the whole fleet at each start; it has no part in what is measured.
      const args = ["--without-mingle", `--pidfile=${PIDFILE}`];
      return stack.use(await startWorker({ ...kind, server, args }));
    });
    const started = await Promise.allSettled(starts);
    for (const start of started) {
      if (start.status === "rejected") throw start.reason;
      workers.push(start.value);
    }
  }
  return workers;
}
