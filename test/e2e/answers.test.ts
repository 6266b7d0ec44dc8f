import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Server, startServer } from "../world/server.ts";
import { until } from "../world/until.ts";
import { assertWorkerIsWell, startWorker } from "../world/worker.ts";
import { expectLine, expectOurKeys, probe, probeNode } from "./probe.ts";

let server: Server;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

/** Less than one --timeout: the first ping was answered, whatever else the machine does. */
const SOON_MS = 1_900;

describe.each(["5.2.7", "5.5.3", "5.7.0"] as const)("a worker of Celery %s", (celery) => {
  test.each(["prefork", "solo", "threads", "gevent"] as const)(
    "answers when its pool is %s",
    async (pool) => {
      await server.client().flushall();
      await using worker = await startWorker({ server, celery, pool });
      const before = await server.keysWithoutTtl();
      const probed = await probeNode(server, worker.node);
      expectLine(probed, 0, new RegExp(`^healthy: alive: ${worker.node} answered in \\d+ ms$`), SOON_MS);
      expect(await server.keysWithoutTtl()).toEqual(before);
      await expectOurKeys(server, 1);
      await assertWorkerIsWell(worker);
    },
  );

  test("answers when every child of prefork is busy", async () => {
    await using worker = await startWorker({ server, celery, pool: "prefork", concurrency: 2 });
    const tasks = await Promise.all([
      worker.submit("nap", 60),
      worker.submit("nap", 60),
      worker.submit("add", 1, 1),
    ]);
    await Promise.all(tasks.slice(0, 2).map((id) => worker.taskStarted(id)));
    expectLine(await probeNode(server, worker.node), 0, /^healthy: alive: /, SOON_MS);
  });
});

test("a worker without a name is found when the probe is given no name", async () => {
  await using own = await startServer();
  await using worker = await startWorker({ server: own, pool: "solo", name: null });
  const probed = await probe([], { CELERY_BROKER_URL: own.url(), CELERY_PROBE_PLACEMENT: "remote" });
  expectLine(probed, 0, new RegExp(`^healthy: alive: ${worker.node} answered in`), SOON_MS);
  await expectOurKeys(own, 1);
});

test("a worker is found when its broker has a password and another database", async () => {
  await using own = await startServer({ password: "p@ss/w:rd" });
  await using worker = await startWorker({ server: own, brokerUrl: own.url(3), pool: "solo" });
  const probed = await probe(["--node", worker.node, "--verbose"], { CELERY_BROKER_URL: own.url(3) });
  expect(probed.exitCode).toBe(0);
  expect(probed.stdout).toContain("/3.celery.pidbox");
  expect(probed.stdout).toContain("redis://:***@127.0.0.1");
  expect(probed.stdout + probed.stderr).not.toContain("p%40ss");
  expect(probed.stdout + probed.stderr).not.toContain("p@ss");
  expectLine(
    await probe(["--node", worker.node, "--broker", own.url(0)]),
    1,
    /^unknown: undecided: \S+ uses database 3 .* says 0 /,
    4_900,
  );
});

test.each(["5.2.7", "5.7.0"] as const)(
  "what waits in the lists of the application of %s is counted when --max-queue-length is given",
  async (celery) => {
    await using own = await startServer();
    const settings = { broker_transport_options: { sep: "|", priority_steps: [0, 12] } };
    await using worker = await startWorker({ server: own, celery, settings });
    await worker.taskStarted(await worker.submit("nap", 300));
    for (let n = 0; n < 4; n++) await worker.submit("nap", 300);
    await until("four are in hand", async () => (await worker.redis.zcard("unacked_index")) === 4);
    for (let n = 0; n < 3; n++) await worker.submitTo("celery|12", "nap", 300);
    const ask = (limit: number) => probeNode(own, worker.node, "--max-queue-length", String(limit));
    expectLine(await ask(3), 0, /^healthy: alive: /, SOON_MS);
    expectLine(await ask(2), 1, /^unhealthy: backlog: /, SOON_MS);
    expect(await worker.answers()).toBe(true);
  },
);

test("a worker answers in JSON or silently, as the option says", async () => {
  await using worker = await startWorker({ server, pool: "solo" });
  const json = await probeNode(server, worker.node, "--output=json");
  expect(JSON.parse(json.stdout)).toMatchObject({
    schema: 1,
    status: "healthy",
    reason: "alive",
    node: worker.node,
    evidence: { pings: 1, subscribers: 1, pongs: [{ node: worker.node, copies: 1 }] },
  });
  expect(await probeNode(server, worker.node, "--quiet")).toMatchObject({
    exitCode: 0,
    stdout: "",
    stderr: "",
  });
});

test("a worker answers when its bodies are plain text", async () => {
  const settings = { broker_transport_options: { body_encoding: "" } };
  await using worker = await startWorker({ server, pool: "solo", settings });
  expectLine(await probeNode(server, worker.node), 0, /^healthy: alive: /, SOON_MS);
});

test.each(["pickle", "yaml", "msgpack", "json"])(
  "a worker answers when it writes its replies in %s",
  async (serializer) => {
    const settings = { task_serializer: serializer, accept_content: ["json", serializer] };
    // Celery refuses to read pickle as root unless a setting and a variable allow it.
    await using worker = await startWorker({ server, pool: "solo", settings, env: { C_FORCE_ROOT: "1" } });
    expectLine(await probeNode(server, worker.node), 0, /^healthy: alive: /, SOON_MS);
  },
);
