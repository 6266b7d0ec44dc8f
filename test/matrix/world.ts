import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Redis } from "ioredis";
import { type Container, startContainer } from "../world/container.ts";
import { countListeners, pidboxChannel } from "../world/pidbox-by-hand.ts";
import { type CeleryVenv, celeryVenv } from "../world/python.ts";
import { Redis as Client } from "ioredis";
import { type Server, startServer } from "../world/server.ts";
import { assertWorkerIsWell, type Worker } from "../world/worker.ts";
import type { WorkerOptions } from "../world/worker-command.ts";
import { until } from "./proof.ts";
import type { Cell } from "./state.ts";

/** Celery's own queue, which all workers of the matrix fetch from. */
export const QUEUE = "celery";

const CHANNEL = pidboxChannel(0);

/** All that one cell needs: a server, a container, workers of its pool and Celery. Ends with `await using`. */
export class World implements AsyncDisposable {
  readonly cell: Cell;
  readonly container: Container;
  /** Comes back by itself when the server does. */
  readonly redis: Redis;
  /**
   * Seconds for a task that cannot be ended before its time: longer than all that is asked meanwhile, the shell line
   * included where it is.
   */
  readonly napS: number;
  /** Its appearance ends the tasks that wait for it. */
  readonly signalFile: string;
  #server: Server;
  readonly #things: AsyncDisposable[] = [];

  static async start(cell: Cell, { napS }: { readonly napS: number }): Promise<World> {
    const server = await startServer();
    return new World(cell, napS, server, await startContainer());
  }

  private constructor(cell: Cell, napS: number, server: Server, container: Container) {
    this.cell = cell;
    this.napS = napS;
    this.signalFile = join(container.folder, "go-on");
    this.#server = server;
    this.container = container;
    this.redis = new Client(server.url(), { retryStrategy: () => 100 });
    this.redis.on("error", () => undefined);
  }

  get server(): Server {
    return this.#server;
  }

  get brokerUrl(): string {
    return this.#server.url();
  }

  venv(): Promise<CeleryVenv> {
    return celeryVenv(this.cell.celery, { eventlet: this.cell.pool === "eventlet" });
  }

  /** A worker of the cell's pool and Celery, in the container unless told otherwise; two task slots. */
  async startWorker(options: Partial<WorkerOptions> = {}): Promise<Worker> {
    return this.keep(
      await this.container.startWorker({
        ...this.cell,
        // By URL, so that the worker's client comes back when the server does.
        brokerUrl: this.brokerUrl,
        concurrency: this.cell.pool === "solo" ? 1 : 2,
        timeoutMs: 60_000,
        ...options,
      }),
    );
  }

  /** One more container, which ends with the world. */
  async startContainer(): Promise<Container> {
    return this.keep(await startContainer());
  }

  /** Ends with the world, before the container and the server do. */
  keep<T extends AsyncDisposable>(thing: T): T {
    this.#things.push(thing);
    return thing;
  }

  async stopServer(): Promise<void> {
    await this.#server.stop();
  }

  /** An empty server at the same address. */
  async startServerAgain(): Promise<void> {
    this.#server = await startServer({ port: this.#server.port });
  }

  /** Ends all tasks that wait for {@link signalFile}. */
  async goOn(): Promise<void> {
    await writeFile(this.signalFile, "");
  }

  /** How many connections listen for control messages. */
  listeners(): Promise<number> {
    return countListeners(this.redis, CHANNEL);
  }

  queued(): Promise<number> {
    return this.redis.llen(QUEUE);
  }

  /** Awaits that the worker listens again, then that it takes and finishes a task. */
  async canary(worker: Worker, withinMs = 45_000): Promise<void> {
    await until(`${worker.node} listens`, withinMs, async () => (await this.listeners()) > 0 || undefined);
    await assertWorkerIsWell(worker);
  }

  /** For a worker that cannot be asked: it takes and finishes a task. */
  async consumes(worker: Worker): Promise<void> {
    await worker.taskSucceeded(await worker.submit("add", 2, 3));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const thing of this.#things.reverse()) await thing[Symbol.asyncDispose]();
    await this.container.stop();
    this.redis.disconnect();
    await this.#server.stop();
  }
}
