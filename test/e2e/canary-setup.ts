import type { TestProject } from "vitest/node";
import { startServer } from "../world/server.ts";
import { assertWorkerIsWell, startWorker } from "../world/worker.ts";

/** The canaries of a whole e2e run: tests that probe often or wrongly do it on their broker. */
export interface Canaries {
  readonly url: string;
  readonly workers: readonly { readonly node: string; readonly pid: number; readonly queue: string }[];
}

declare module "vitest" {
  interface ProvidedContext {
    canaries: Canaries;
  }
}

/**
 * Starts the canaries before the first e2e test: the newest Celery, and the one whose kombu stops consuming for
 * ever after one message that it cannot handle. After the last test each must still consume.
 */
export default async function keepCanaries(project: TestProject): Promise<() => Promise<void>> {
  const server = await startServer();
  const workers = await Promise.all([
    startWorker({ server, celery: "5.2.7", pool: "prefork", queues: ["canary-old"] }),
    startWorker({ server, celery: "5.7.0", pool: "gevent", queues: ["canary-new"] }),
  ]);
  project.provide("canaries", {
    url: server.url(),
    workers: workers.map(({ node, pid, queue }) => ({ node, pid, queue })),
  });
  return async () => {
    for (const worker of workers) await assertWorkerIsWell(worker);
    await Promise.all(workers.map((worker) => worker.killAll()));
    await server.stop();
  };
}
