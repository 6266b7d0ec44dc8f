import { once } from "node:events";
import type { Server } from "../world/server.ts";
import { startProbe } from "./probe.ts";

/** The parts of one worker in an object of `watch --output json` that tests read. */
export interface WatchedWorker {
  readonly node: string;
  readonly local: boolean;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly hint: string | null;
  readonly since: string;
  readonly slots: number | null;
  readonly restarts: number;
  readonly copies: number;
}

/** One such object. */
export interface Watched {
  readonly workers: {
    readonly at: string;
    readonly broker: { readonly up: boolean; readonly message: string | null; readonly reconnects: number };
    readonly rounds: { readonly done: number; readonly failed: number; readonly stale: boolean };
    readonly workers: readonly WatchedWorker[];
  };
  readonly queues: {
    readonly queues: readonly {
      readonly queue: string;
      readonly length: number | null;
      readonly consumers: number;
    }[];
  };
}

/** A running watch, and the pictures that it has printed. */
export class Watch implements AsyncDisposable {
  readonly pictures: Watched[] = [];
  readonly #running: ReturnType<typeof startProbe>;
  #rest = "";

  constructor(running: ReturnType<typeof startProbe>) {
    this.#running = running;
    running.stdout.on("data", (chunk: Buffer) => {
      const texts = (this.#rest + chunk.toString()).split("\n");
      this.#rest = texts.pop() ?? "";
      for (const text of texts) this.pictures.push(JSON.parse(text) as Watched);
    });
  }

  /** The first picture from now on that the test wants. */
  async until(wanted: (picture: Watched) => boolean): Promise<Watched> {
    for (let at = this.pictures.length; ; at++) {
      while (at >= this.pictures.length) await once(this.#running.stdout, "data");
      const picture = this.pictures[at];
      if (picture !== undefined && wanted(picture)) return picture;
    }
  }

  /** The same, for a node with this reason. */
  untilReason(node: string, reason: string): Promise<Watched> {
    return this.until((picture) => workerIn(picture, node)?.reason === reason);
  }

  /** The different reasons of a node since a picture. */
  reasonsSince(picture: Watched, node: string): readonly string[] {
    const since = this.pictures.slice(this.pictures.indexOf(picture));
    return [...new Set(since.map((one) => workerIn(one, node)?.reason ?? "absent"))];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#running.kill("SIGTERM");
    await this.#running;
  }
}

export function workerIn(picture: Watched, node: string): WatchedWorker | undefined {
  return picture.workers.workers.find((worker) => worker.node === node);
}

/** Watches remotely, as from another container; `more` may change that. */
export function startWatch(server: Server, ...more: readonly string[]): Watch {
  const args = ["watch", "--broker", server.url(), "--output", "json", "--interval", "250ms"];
  return new Watch(
    startProbe([...args, ...(more.includes("--placement") ? [] : ["--placement", "remote"]), ...more]),
  );
}
