import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parseClientList } from "../../src/broker/client-list.ts";
import { type Server, startServer } from "../world/server.ts";
import { assertWorkerIsWell, startWorker, type Worker } from "../world/worker.ts";
import { ending, expectLine, expectOurKeys, keysOfOurs, probeNode, startProbe } from "./probe.ts";

let server: Server;
let worker: Worker;
/** When this file appears, the task that blocks the worker ends. A fixed time could end before the probe asks. */
let goOn: string;
beforeEach(async () => {
  server = await startServer();
  goOn = join(mkdtempSync(join(tmpdir(), "celery-probe-go-")), "on");
});

/** Blocks the worker, and returns the task. */
async function block(): Promise<string> {
  const task = await worker.submit("shell_until", goOn);
  await worker.taskStarted(task);
  return task;
}

async function unblock(task: string): Promise<void> {
  writeFileSync(goOn, "");
  await worker.taskSucceeded(task);
}
afterEach(async () => {
  await worker.killAll();
  await server.stop();
});

const QUICK = ["--timeout=300ms", "--retries=1"];
const BUSY =
  /^healthy: busy: \S+ silent for \d+ s, less than the 300 s grace \(process \d+ running, 1\d connections\)$/;

describe.each(["5.2.7", "5.7.0"] as const)("a solo worker of Celery %s in a blocking task", (celery) => {
  beforeEach(async () => {
    worker = await startWorker({ server, celery, pool: "solo" });
  });

  test("is busy while it blocks, answers into a key that expires, and is healthy afterwards", async () => {
    const task = await block();
    expectLine(await probeNode(server, worker.node, ...QUICK), 0, BUSY, 4_900);
    // By now it has been silent for so long that this alone is enough.
    expectLine(await probeNode(server, worker.node, ...QUICK), 0, BUSY, 4_900);
    const hung =
      /^unhealthy: hung: \S+ silent for \d+ s, longer than the 1 s grace \(process \d+ running, 1\d connections\); hint: /;
    expectLine(await probeNode(server, worker.node, ...QUICK, "--busy-grace=1s"), 1, hung, 4_900);
    await unblock(task);
    // The late pongs of all those pings are there now. This probe must not count them.
    expectLine(await probeNode(server, worker.node), 0, /^healthy: alive: /, 3_000);
    await expectOurKeys(server, 1);
    await assertWorkerIsWell(worker);
  });

  test("is alive when the task ends within the time the probe waits", async () => {
    const task = await block();
    const env = { CELERY_BROKER_URL: server.url() };
    const running = startProbe(["--node", worker.node, "--timeout=2s", "--retries=1"], env);
    await untilAsked();
    await unblock(task);
    expectLine(await ending(running), 0, /^healthy: alive: \S+ answered in/, 4_900);
  });

  test.each(["SIGTERM", "SIGINT", "SIGHUP"] as const)(
    "leaves one key that expires when %s ends the probe",
    async (signal) => {
      const task = await block();
      const before = await server.keysWithoutTtl();
      const running = startProbe(["--node", worker.node], { CELERY_BROKER_URL: server.url() });
      await untilAsked();
      running.kill(signal);
      const probed = await ending(running);
      expectLine(
        probed,
        1,
        new RegExp(
          `^unknown: undecided: ended by ${signal} before there was an answer${signal === "SIGTERM" ? "; hint: set --deadline" : "$"}`,
        ),
        1_500,
      );
      await unblock(task);
      await untilAnswered();
      await expectOurKeys(server, 1);
      expect(await server.keysWithoutTtl()).toEqual(before.filter((key) => !key.startsWith("unacked")));
    },
  );

  test("leaves one key that expires when SIGKILL ends the probe", async () => {
    const task = await block();
    const running = startProbe(["--node", worker.node], { CELERY_BROKER_URL: server.url() });
    await untilAsked();
    running.kill("SIGKILL");
    expect((await ending(running)).exitCode).toBeUndefined();
    await unblock(task);
    await untilAnswered();
    await expectOurKeys(server, 1);
    await assertWorkerIsWell(worker);
  });
});

test("a stopped worker is reported within a second, and is healthy when it continues", async () => {
  worker = await startWorker({ server, pool: "prefork" });
  worker.suspend();
  const stopped = new RegExp(
    `^unhealthy: stopped: ${worker.node} is stopped: process ${worker.pid} was sent SIGSTOP`,
  );
  expectLine(await probeNode(server, worker.node), 1, stopped, 1_000);
  worker.resume();
  expectLine(await probeNode(server, worker.node), 0, /^healthy: alive: /, 1_500);
  await assertWorkerIsWell(worker);
});

test("a blocked worker that was stopped for longer than its grace is busy by the state file when it continues", async () => {
  worker = await startWorker({ server, pool: "solo" });
  await worker.taskStarted(await worker.submit("nap", 60));
  worker.suspend();
  const redis = server.client();
  const idleS = async () => {
    const rows = parseClientList(await redis.client("LIST")) ?? [];
    return rows.find(({ command }) => command === "brpop")?.idleS ?? 0;
  };
  await expect.poll(idleS, IN_TIME).toBeGreaterThanOrEqual(5);
  redis.disconnect();
  const folder = mkdtempSync(join(tmpdir(), "celery-probe-state-"));
  const grace = [...QUICK, "--busy-grace=5s"];
  const withState = [...grace, `--state-file=${join(folder, "state.json")}`];
  expectLine(await probeNode(server, worker.node, ...withState), 1, /^unhealthy: stopped: /, 2_900);
  worker.resume();
  const busy = /^healthy: busy: \S+ silent for [0-4] s by the state file, less than the 5 s grace/;
  expectLine(await probeNode(server, worker.node, ...withState), 0, busy, 4_900);
  rmSync(folder, { recursive: true });
  // Only the state file remembers that it was stopped.
  expectLine(await probeNode(server, worker.node, ...grace), 1, /^unhealthy: hung: /, 4_900);
});

test("a worker with another name is not called dead", async () => {
  worker = await startWorker({ server, pool: "solo" });
  const misnamed = /^unknown: undecided: no worker here is called other@world; here (is|are) \S+/;
  expectLine(await probeNode(server, "other@world"), 1, misnamed, 2_900);
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
