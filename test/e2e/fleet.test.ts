import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { expect, test } from "vitest";
import { startProxy } from "../world/proxy.ts";
import { startServer } from "../world/server.ts";
import { until } from "../world/until.ts";
import { startWorker } from "../world/worker.ts";
import { startServe } from "./start-serve.ts";
import { startWatch, workerIn } from "./watched.ts";

test.concurrent(
  "a worker that is killed is gone within seconds, and does not come back by itself",
  async () => {
    await using server = await startServer();
    await using other = await startWorker({ server });
    const worker = await startWorker({ server });
    await using watch = startWatch(server);
    await watch.untilReason(worker.node, "alive");
    await worker.killAll();
    const killedMs = Date.now();
    const gone = await watch.untilReason(worker.node, "gone");
    expect(Date.now() - killedMs).toBeLessThan(20_000);
    expect(workerIn(gone, worker.node)).toMatchObject({
      status: "unhealthy",
      message: expect.stringMatching(
        /^nothing was heard of it for \d+ s, and nobody is subscribed in its name$/,
      ) as string,
    });
    // Once, subscribing again after 15 s brought it back to life.
    await wait(20_000);
    expect(watch.reasonsSince(gone, worker.node)).toEqual(["gone"]);
    expect(watch.reasonsSince(gone, other.node)).toEqual(["alive"]);
  },
);

test.concurrent(
  "a worker that is stopped warmly goes at once, and its queue stays without a consumer",
  async () => {
    await using server = await startServer();
    const worker = await startWorker({ server, queues: ["mails"] });
    await using watch = startWatch(server);
    await watch.until(({ queues }) =>
      queues.queues.some(({ queue, consumers }) => queue === "mails" && consumers === 1),
    );
    await worker.stop();
    await watch.until((picture) => workerIn(picture, worker.node) === undefined);
    const last = await watch.until(({ queues }) => queues.queues.some(({ consumers }) => consumers === 0));
    expect(last.queues.queues).toMatchObject([{ queue: "mails", length: 0, consumers: 0 }]);
  },
);

test.concurrent(
  "a solo worker in a task is busy within the grace and hangs after it; when the task ends it is alive",
  async () => {
    await using server = await startServer();
    await using worker = await startWorker({ server, pool: "solo" });
    await using watch = startWatch(server, "--busy-grace", "14s");
    await watch.untilReason(worker.node, "alive");
    await worker.taskStarted(await worker.submit("sleep_in_c", 25));
    const busy = await watch.untilReason(worker.node, "busy");
    expect(workerIn(busy, worker.node)).toMatchObject({
      status: "healthy",
      message: expect.stringMatching(/^silent for \d+ s, less than the 14 s grace$/) as string,
    });
    const hung = await watch.untilReason(worker.node, "hung");
    expect(workerIn(hung, worker.node)?.hint).toContain("raise --busy-grace");
    await watch.untilReason(worker.node, "alive");
    expect(watch.reasonsSince(busy, worker.node)).toEqual(["busy", "hung", "alive"]);
  },
);

test.concurrent("the processes of workers in sight are looked at", async () => {
  await using server = await startServer();
  await using worker = await startWorker({ server });
  await using watch = startWatch(server, "--placement", "auto");
  await watch.untilReason(worker.node, "alive");
  worker.suspend();
  const suspendedMs = Date.now();
  const stopped = await watch.untilReason(worker.node, "stopped");
  expect(Date.now() - suspendedMs).toBeLessThan(12_000);
  expect(workerIn(stopped, worker.node)).toMatchObject({
    local: true,
    status: "unhealthy",
    message: expect.stringMatching(/is stopped: process \d+ was sent SIGSTOP or SIGTSTP/) as string,
  });
  worker.resume();
  await watch.untilReason(worker.node, "alive");
});

test.concurrent(
  "workers in sight that fall silent together are told apart within seconds, and keep their states",
  async () => {
    await using server = await startServer();
    const killed = [await startWorker({ server }), await startWorker({ server })] as const;
    await using busy = await startWorker({ server, pool: "solo", queues: ["slow"] });
    await using stopped = await startWorker({ server, queues: ["other"] });
    await using watch = startWatch(server, "--placement", "auto");
    const all = [...killed, busy, stopped];
    for (const { node } of all) await watch.until((one) => workerIn(one, node)?.local === true);
    await busy.taskStarted(await busy.submit("sleep_in_c", 45));
    const since = watch.pictures.at(-1);
    stopped.suspend();
    for (const worker of killed) await worker.killAll();
    const startMs = Date.now();
    await watch.until(
      (one) => all.map(({ node }) => workerIn(one, node)?.reason).join() === "dead,dead,busy,stopped",
    );
    expect(Date.now() - startMs).toBeLessThan(25_000);
    await wait(12_000);
    stopped.resume();
    for (const { node } of [busy, stopped]) await watch.untilReason(node, "alive");
    if (since === undefined) throw new Error("nothing was seen");
    for (const { node } of killed) expect(watch.reasonsSince(since, node)).toEqual(["alive", "dead"]);
    expect(watch.reasonsSince(since, stopped.node)).toEqual(["alive", "stopped"]);
    expect(watch.reasonsSince(since, busy.node)).toEqual(["alive", "busy"]);
  },
  120_000,
);

test.concurrent("a restart of the broker makes no worker unhealthy, and the watch goes on", async () => {
  const server = await startServer();
  await using worker = await startWorker({ server });
  await using busy = await startWorker({ server, pool: "solo", queues: ["slow"] });
  await using watch = startWatch(server, "--busy-grace", "2m");
  await watch.untilReason(worker.node, "alive");
  await busy.taskStarted(await busy.submit("sleep_in_c", 45));
  const before = await watch.untilReason(busy.node, "busy");
  const { port } = server;
  await server.stop();
  const down = await watch.until(({ workers }) => !workers.broker.up);
  expect(down.workers.broker.message).toMatch(/closed the connection|refused the connection/);
  await watch.untilReason(worker.node, "broker-unreachable");
  await using _again = await startServer({ port });
  const up = await watch.until(({ workers }) => workers.broker.up);
  expect(up.workers.broker.reconnects).toBe(1);
  await watch.untilReason(worker.node, "alive");
  // It has lost its connections, but its task goes on.
  await watch.untilReason(busy.node, "undecided");
  await watch.untilReason(busy.node, "alive");
  const said = [...watch.reasonsSince(before, worker.node), ...watch.reasonsSince(before, busy.node)];
  for (const reason of ["gone", "hung", "not-consuming"]) expect(said).not.toContain(reason);
});

test.concurrent(
  "a worker that answers but fetches nothing is not consuming after a minute",
  async () => {
    await using server = await startServer();
    await using proxy = await startProxy(server.port);
    // kombu before 5.7.0 waits for ever.
    await using worker = await startWorker({ server, brokerUrl: proxy.url(), celery: "5.2.7" });
    let port = 0;
    await until("it fetches", async () => {
      const rows = String(await worker.redis.client("LIST")).split("\n");
      const row = rows.find((one) => one.includes("cmd=brpop") && one.includes("flags=b"));
      port = Number(/ addr=\S+:(\d+) /.exec(row ?? "")?.[1] ?? 0);
      return port > 0;
    });
    await using other = await startWorker({ server, queues: ["other"] });
    await using watch = startWatch(server);
    await watch.untilReason(worker.node, "alive");
    proxy.swallow(port);
    await worker.submit("add", 1, 2);
    await worker.submit("add", 1, 2);
    await worker.submit("add", 1, 2);
    const idle = await watch.untilReason(worker.node, "not-consuming");
    expect(workerIn(idle, worker.node)).toMatchObject({
      status: "unhealthy",
      message: expect.stringMatching(
        /^it runs nothing, and \d messages in celery have waited for it for 6\d s$/,
      ) as string,
    });
    expect(workerIn(idle, other.node)?.reason).toBe("alive");
    expect(await worker.answers()).toBe(true);
  },
  100_000,
);

test.concurrent("two workers with one name are counted, and so is a restart", async () => {
  await using server = await startServer();
  const name = "twin@world";
  await using _first = await startWorker({ server, name });
  const second = await startWorker({ server, name, until: "listens" });
  await using watch = startWatch(server);
  await watch.until((picture) => workerIn(picture, name)?.copies === 2);
  await using serve = await startServe(["--broker", server.url(), "--placement", "remote"]);
  const said = /healthy: alive: twin@world: .*; hint: 2 workers have this name: give each its own with -n$/m;
  await until("its probe says so", async () => said.test(await serve.text(`/livez/${name}`)));
  await until("its log says so", () => said.test(serve.log()));
  await second.killAll();
  const alone = await watch.until((picture) => workerIn(picture, name)?.copies === 1);
  expect(workerIn(alone, name)).toMatchObject({ reason: "alive", restarts: 0 });
  await _first.stop();
  await watch.until((picture) => workerIn(picture, name) === undefined);
  await using _third = await startWorker({ server, name, concurrency: 3 });
  const again = await watch.until((picture) => workerIn(picture, name)?.slots === 3);
  expect(workerIn(again, name)).toMatchObject({ reason: "alive", restarts: 1, copies: 1 });
});

test.concurrent("a queue without a consumer is found by its binding", async () => {
  await using server = await startServer();
  await using worker = await startWorker({ server });
  const gone = await startWorker({ server, queues: ["forgotten"] });
  await gone.stop();
  await gone.redis.quit().catch(() => undefined);
  const redis = server.client();
  await redis.lpush("forgotten", "a message", "another");
  await using watch = startWatch(server);
  const picture = await watch.until(({ queues }) => queues.queues.some(({ queue }) => queue === "forgotten"));
  expect(picture.queues.queues).toMatchObject([
    { queue: worker.queue, consumers: 1 },
    { queue: "forgotten", length: 2, consumers: 0 },
  ]);
});

test.concurrent(
  "a broker that cannot write to its disk is named, and no worker is unhealthy because of it",
  async () => {
    await using server = await startServer();
    await using worker = await startWorker({ server });
    await using watch = startWatch(server);
    const before = await watch.untilReason(worker.node, "alive");
    const redis = server.client();
    // A folder with this name takes the place of the file.
    await mkdir(join(server.folder, "dump.rdb"));
    await redis.config("SET", "save", "3600 1");
    await redis.bgsave().catch(() => undefined);
    await until("Redis refuses to write", async () => (await redis.ping().catch(String)).includes("MISCONF"));
    const refused = await watch.until(({ workers }) => !workers.broker.up);
    expect(refused.workers.broker.message).toContain("MISCONF");
    await redis.config("SET", "stop-writes-on-bgsave-error", "no");
    await watch.until(({ workers }) => workers.broker.up);
    for (const reason of watch.reasonsSince(before, worker.node))
      expect(["alive", "broker-refused", "undecided", "absent"]).toContain(reason);
  },
);
