import type { TestProject } from "vitest/node";
import { startContainer } from "../world/container.ts";
import { whyForbidden } from "../world/namespaces.ts";
import { startServer } from "../world/server.ts";
import { celeryInSight } from "../world/without-worlds.ts";
import { assertWorkerIsWell, startWorker } from "../world/worker.ts";

/** The canaries of a whole e2e run. Tests that probe often or wrongly do it on their broker. */
export interface Canaries {
  readonly url: string;
  readonly workers: readonly { readonly node: string; readonly queue: string }[];
}

declare module "vitest" {
  interface ProvidedContext {
    canaries: Canaries;
  }
}

/**
 * Starts the canaries before the first e2e test: one of the newest Celery, and one with an older kombu. After a single
 * message that it cannot handle, that kombu stops consuming for ever. After the last test each must still consume.
 */
export default async function keepCanaries(project: TestProject): Promise<() => Promise<void>> {
  const forbidden = whyForbidden();
  const strangers = forbidden === null ? [] : celeryInSight();
  if (strangers.length > 0) {
    throw new Error(
      `no namespaces can be made (${forbidden}), and the tests would see ${strangers.join(", ")}`,
    );
  }
  const server = await startServer();
  const container = forbidden === null ? await startContainer() : null;
  const within = container === null ? {} : { within: container };
  const workers = await Promise.all([
    startWorker({ ...within, server, celery: "5.2.7", pool: "prefork", name: "old@canary", queues: ["old"] }),
    startWorker({ ...within, server, celery: "5.7.0", pool: "gevent", name: "new@canary", queues: ["new"] }),
  ]);
  project.provide("canaries", {
    url: server.url(),
    workers: workers.map(({ node, queue }) => ({ node, queue })),
  });
  return async () => {
    for (const worker of workers) await assertWorkerIsWell(worker);
    await Promise.all(workers.map((worker) => worker.killAll()));
    await container?.stop();
    await server.stop();
  };
}
