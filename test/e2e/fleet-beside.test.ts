import { expect, test } from "vitest";
import { setTimeout as wait } from "node:timers/promises";
import { type Server, startServer } from "../world/server.ts";
import { until } from "../world/until.ts";
import { startWorker, type Worker } from "../world/worker.ts";
import { startProbe } from "./probe.ts";
import type { WatchedWorker } from "./watched.ts";

/** A `serve` beside the workers of this file's world, like a sidecar in their PID namespace. */
async function startSidecar(server: Server, ...words: readonly string[]) {
  const args = ["serve", "--placement", "beside", "--interval", "1s", "--listen", "127.0.0.1:0"];
  const running = startProbe([...args, "--broker", server.url(), ...words]);
  let log = "";
  running.stdout.on("data", (chunk: Buffer) => (log += chunk.toString()));
  await until("it listens", () => /^listening on \S+\n/.test(log));
  const origin = `http://127.0.0.1:${/:(\d+)\n/.exec(log)?.[1] ?? ""}`;
  const workers = async () => {
    const answer = (await (await fetch(`${origin}/api/v1/workers`)).json()) as { workers: WatchedWorker[] };
    return answer.workers;
  };
  return {
    status: async (path: string) => (await fetch(origin + path)).status,
    untilReason: (worker: Worker, reason: string) =>
      until(`${worker.node} is ${reason}`, async () =>
        (await workers()).some((one) => one.node === worker.node && one.reason === reason),
      ),
    workers,
    async [Symbol.asyncDispose]() {
      running.kill("SIGTERM");
      await running;
    },
  };
}

/** The messages on the control channel, by method. */
async function published(server: Server) {
  const monitor = await server.client().monitor();
  const methods: string[] = [];
  monitor.on("monitor", (_: string, [command = "", channel = "", text = ""]: string[]) => {
    if (!/^publish$/i.test(command) || !channel.endsWith(".pidbox") || text === "") return;
    const { body } = JSON.parse(text) as { body: string };
    methods.push((JSON.parse(Buffer.from(body, "base64").toString()) as { method: string }).method);
  });
  return {
    methods,
    [Symbol.dispose]() {
      monitor.disconnect();
    },
  };
}

test("a sidecar sees its worker work, stop, end and come back; it pings only when the worker is silent", async () => {
  await using server = await startServer();
  using control = await published(server);
  // A sidecar may start before its worker.
  await using sidecar = await startSidecar(server);
  const name = "own@world";
  const worker = await startWorker({ server, name, concurrency: 2, until: "ready" });
  await sidecar.untilReason(worker, "alive");
  expect(await sidecar.status("/livez/local")).toBe(200);
  await until("its pool is told", async () => (await sidecar.workers())[0]?.slots === 2);
  await wait(1_000);
  control.methods.length = 0;
  await wait(8_000);
  expect(control.methods).toEqual([]);
  expect(await sidecar.workers()).toMatchObject([{ node: name, local: true, slots: 2 }]);
  worker.suspend();
  await sidecar.untilReason(worker, "stopped");
  expect(await sidecar.status("/livez/local")).toBe(503);
  worker.resume();
  await sidecar.untilReason(worker, "alive");
  await worker.killAll();
  await sidecar.untilReason(worker, "dead");
  expect(await sidecar.status("/livez/local")).toBe(503);
  await using again = await startWorker({ server, name, concurrency: 3, until: "ready" });
  await sidecar.untilReason(again, "alive");
  await until("its new pool is told", async () => (await sidecar.workers())[0]?.slots === 3);
  expect(await sidecar.workers()).toMatchObject([{ node: name, restarts: 1 }]);
}, 120_000);

test("a solo worker in a task is busy, and the sidecar ignores another worker on the broker", async () => {
  await using server = await startServer();
  await using worker = await startWorker({ server, pool: "solo" });
  await using sidecar = await startSidecar(server);
  await sidecar.untilReason(worker, "alive");
  await worker.taskStarted(await worker.submit("sleep_in_c", 15));
  await sidecar.untilReason(worker, "busy");
  expect(await sidecar.status("/livez/local")).toBe(200);
  await sidecar.untilReason(worker, "alive");
});

test("two workers with one name in sight are counted, and do not count as restarts", async () => {
  await using server = await startServer();
  const name = "twin@pod";
  await using worker = await startWorker({ server, name });
  await using _other = await startWorker({ server, name, until: "listens" });
  await using sidecar = await startSidecar(server);
  await sidecar.untilReason(worker, "alive");
  await wait(12_000);
  expect(await sidecar.workers()).toMatchObject([{ node: name, copies: 2, restarts: 0 }]);
}, 60_000);

test("a solo worker whose task outlives a restart of the broker hangs after the grace", async () => {
  const server = await startServer();
  await using worker = await startWorker({ server, pool: "solo" });
  await using sidecar = await startSidecar(server, "--busy-grace", "5s");
  await sidecar.untilReason(worker, "alive");
  await worker.taskStarted(await worker.submit("sleep_in_c", 120));
  const { port } = server;
  await server.stop();
  await using _again = await startServer({ port });
  // The broker has closed its connections, so these no longer show when its silence began.
  await sidecar.untilReason(worker, "hung");
  expect(await sidecar.status("/livez/local")).toBe(503);
  const [said] = await sidecar.workers();
  expect(said?.hint).not.toMatch(/--state-file|--require-consuming/);
}, 60_000);
