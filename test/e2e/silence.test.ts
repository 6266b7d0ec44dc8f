import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Server, startServer } from "../world/server.ts";
import { assertWorkerIsWell, startWorker, type Worker } from "../world/worker.ts";
import { ending, expectLine, expectOurKeys, keysOfOurs, probeNode, startProbe } from "./probe.ts";

let server: Server;
let worker: Worker;
beforeEach(async () => {
  server = await startServer();
});
afterEach(async () => {
  await worker.killAll();
  await server.stop();
});

const QUICK = ["--timeout=300ms", "--retries=1"];
const SILENT = /^unknown: undecided: no pong from \S+ within \d+ ms \(2 pings\); 1 connection subscribed to/;

describe.each(["5.2.7", "5.7.0"] as const)("a solo worker of Celery %s in a blocking task", (celery) => {
  beforeEach(async () => {
    worker = await startWorker({ server, celery, pool: "solo" });
  });

  test("is undecided while it blocks, answers into a key that expires, and is well after it", async () => {
    const task = await worker.submit("nap", 3);
    await worker.taskStarted(task);
    expectLine(await probeNode(server, worker.node, ...QUICK), 1, SILENT, 1_500);
    expectLine(await probeNode(server, worker.node, ...QUICK), 1, SILENT, 1_500);
    await worker.taskSucceeded(task);
    // The late pongs of four pings are there now, and this probe is not taken in by them.
    expectLine(await probeNode(server, worker.node), 0, /^healthy: alive: /, 3_000);
    await expectOurKeys(server, 1);
    await assertWorkerIsWell(worker);
  });

  test("is alive when the task ends within the time the probe waits", async () => {
    const task = await worker.submit("nap", 2.5);
    await worker.taskStarted(task);
    const probed = await probeNode(server, worker.node, "--timeout=2s", "--retries=1");
    expectLine(probed, 0, /^healthy: alive: \S+ answered in/, 4_900);
  });

  test.each(["SIGTERM", "SIGINT", "SIGHUP"] as const)(
    "leaves one key that expires when %s ends the probe",
    async (signal) => {
      const task = await worker.submit("nap", 2);
      await worker.taskStarted(task);
      const before = await server.keysWithoutTtl();
      const running = startProbe(["--node", worker.node], { CELERY_BROKER_URL: server.url() });
      await untilAsked();
      running.kill(signal);
      const probed = await ending(running);
      expectLine(
        probed,
        1,
        new RegExp(`^unknown: undecided: ended by ${signal} before there was an answer$`),
        1_500,
      );
      await worker.taskSucceeded(task);
      await untilAnswered();
      await expectOurKeys(server, 1);
      expect(await server.keysWithoutTtl()).toEqual(before.filter((key) => !key.startsWith("unacked")));
    },
  );

  test("leaves one key that expires when SIGKILL ends the probe", async () => {
    const task = await worker.submit("nap", 2);
    await worker.taskStarted(task);
    const running = startProbe(["--node", worker.node], { CELERY_BROKER_URL: server.url() });
    await untilAsked();
    running.kill("SIGKILL");
    expect((await ending(running)).exitCode).toBeUndefined();
    await worker.taskSucceeded(task);
    await untilAnswered();
    await expectOurKeys(server, 1);
    await assertWorkerIsWell(worker);
  });
});

test("a stopped worker is undecided, and well when it goes on", async () => {
  worker = await startWorker({ server, pool: "prefork" });
  worker.suspend();
  expectLine(await probeNode(server, worker.node, ...QUICK), 1, SILENT, 1_500);
  worker.resume();
  expectLine(await probeNode(server, worker.node), 0, /^healthy: alive: /, 1_500);
  await assertWorkerIsWell(worker);
});

test("a killed worker is undecided at once", async () => {
  worker = await startWorker({ server, pool: "prefork" });
  await worker.killAll();
  await untilNobodyIsSubscribed();
  expectLine(
    await probeNode(server, worker.node),
    1,
    new RegExp(
      `^unknown: undecided: nobody is subscribed to /0.celery.pidbox on redis://\\S+, so ${worker.node} cannot`,
    ),
    1_000,
  );
});

const IN_TIME = { timeout: 10_000 };

async function untilAsked(): Promise<void> {
  await expect.poll(() => keysOfOurs(server), IN_TIME).toHaveLength(1);
}

async function untilAnswered(): Promise<void> {
  const redis = server.client();
  const replies = async () => redis.llen((await redis.keys("*.reply.celery.pidbox"))[0] ?? "");
  await expect.poll(replies, IN_TIME).toBeGreaterThan(1);
}

async function untilNobodyIsSubscribed(): Promise<void> {
  const redis = server.client();
  await expect.poll(() => redis.publish("/0.celery.pidbox", ""), IN_TIME).toBe(0);
}
