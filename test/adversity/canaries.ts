// Real workers on a real broker that live through everything. This file also checks their state and the broker's state
// afterwards.
import { setTimeout as wait } from "node:timers/promises";
import { startContainer } from "../world/container.ts";
import { type Server, startServer } from "../world/server.ts";
import type { Worker } from "../world/worker.ts";
import { PASSWORD } from "./conversation.ts";
import { startFaultyProxy } from "./network.ts";
import { type Runner, startRunner } from "./runner.ts";

export interface Canaries {
  readonly server: Server;
  readonly runner: Runner;
  /** One of 5.2.7 and one of 5.7.0. A single message that it cannot handle makes the older one catatonic. */
  readonly workers: readonly Worker[];
  /** The nodes that the executable is asked about: the canaries, and one that is always busy. */
  readonly asked: readonly { readonly node: string; readonly isIdle: boolean }[];
  /** The bytes from the broker in a healthy check. */
  readonly conversationBytes: number;
  /**
   * What differs on the broker from the time when the canaries were new. Only the names of workers' keys may be new.
   */
  readonly traces: () => Promise<readonly string[]>;
}

/** A worker's own keys may appear while it works. */
const OF_WORKERS = /^(?:canary-.*|unacked.*|_kombu\..*|busy)$/;

/** A worker opens more connections of its own if many questions come at once (Celery's broker_pool_limit). */
const POOL = 10;

export async function startCanaries(executable: string, stack: AsyncDisposableStack): Promise<Canaries> {
  const server = stack.use(await startServer({ password: PASSWORD }));
  const container = stack.use(await startContainer({ hostname: "canaries" }));
  const runner = stack.use(await startRunner(container));
  const workers = await Promise.all([
    container.startWorker({ server, name: "old@canary", celery: "5.2.7", queues: ["canary-old"] }),
    container.startWorker({
      server,
      name: "new@canary",
      celery: "5.7.0",
      pool: "gevent",
      queues: ["canary-new"],
    }),
  ]);
  const busy = await container.startWorker({ server, name: "busy@canary", pool: "solo", queues: ["busy"] });
  await busy.taskStarted(await busy.submit("nap_until", "/never"));

  await using proxy = await startFaultyProxy(server.port, null);
  const url = server.url().replace(String(server.port), String(proxy.port));
  for (const { node } of workers)
    await runner.run({
      words: [executable, "--node", node],
      env: { CELERY_PROBE_BROKER: url },
      longestMs: 10_000,
    });
  const before = await look(server);
  return {
    server,
    runner,
    workers,
    asked: [...workers.map(({ node }) => ({ node, isIdle: true })), { node: busy.node, isIdle: false }],
    conversationBytes: Math.ceil(proxy.passed.client / workers.length),
    async traces() {
      const most = before.clients + POOL * workers.length;
      // A killed connection is gone only when the broker has noticed.
      for (let patience = 40; patience > 0 && (await look(server)).clients > most; patience--) await wait(50);
      const now = await look(server);
      const keys = now.lasting.filter((key) => !before.lasting.includes(key) && !OF_WORKERS.test(key));
      return [
        ...keys.map((key) => `${key} never expires`),
        ...(now.clients > most ? [`${now.clients} connections, ${before.clients} before`] : []),
        ...(now.bindings === before.bindings
          ? []
          : [`bindings: ${now.bindings}; before: ${before.bindings}`]),
      ];
    },
  };
}

async function look(server: Server) {
  const redis = server.client();
  const bindings = (await redis.smembers("_kombu.binding.celery.pidbox")).sort().join(" ");
  const clients = String(await redis.client("LIST"))
    .trim()
    .split("\n").length;
  redis.disconnect();
  return { lasting: await server.keysWithoutTtl(), bindings, clients };
}
