import { expect, test } from "vitest";
import { startServer } from "../../world/server.ts";
import { taskMessage } from "../../world/task-message.ts";
import { startWorker } from "../../world/worker.ts";
import { client } from "./client.ts";
import { diagnose, saying, TWO_HEARTBEATS } from "./diagnose.ts";

const remote = (url: string, ...more: readonly string[]) =>
  diagnose(["--placement", "remote", "--broker", url, ...more]);

test.concurrent.each(["5.2.7", "5.7.0"] as const)(
  "finds nothing wrong with a healthy world of %s",
  async (celery) => {
    await using server = await startServer();
    const settings = { result_backend: server.url(1), task_ignore_result: false };
    await using worker = await startWorker({ server, celery, concurrency: 2, settings });
    const sent = await client(server.url(), "print(*[add.delay(1, n).id for n in range(5)])", {
      celery,
      settings,
    });
    for (const id of sent.split(" ")) await worker.taskSucceeded(id);
    const { findings, stdout, of, exitCode } = await diagnose(["--node", worker.node, ...TWO_HEARTBEATS], {
      CELERY_BROKER_URL: server.url(),
    });
    // The container is older than this test, so its worker looks like a restarted one. It has no log file.
    expect(
      findings.filter(({ level, code }) => level !== "ok" && code !== "restarts" && code !== "log"),
      stdout,
    ).toEqual([]);
    for (const code of ["queue-length", "queues-consumed", "throughput", "tasks", "task-age"] as const)
      expect(of(code), code).toHaveLength(1);
    expect(of("failed-results")).toMatchObject([{ seen: saying(/^0 of 5 results failed/) }]);
    expect(exitCode).toBe(0);
  },
);

test.concurrent("names a queue with work and no consumer, and the queue that was meant", async () => {
  await using server = await startServer();
  await using worker = await startWorker({ server, queues: ["mials"] });
  await client(server.url(), `[add.apply_async((1, n), queue="mails") for n in range(20)]`);
  const { of, exitCode } = await remote(server.url());
  expect(of("queues-consumed")).toMatchObject([
    {
      level: "problem",
      about: "mails",
      seen: saying(/20 messages wait.*mials/),
      next: saying(/-Q.*task_routes/),
    },
  ]);
  expect(of("queue-length")).toMatchObject([{ about: worker.queue, seen: saying(/nothing waits/) }]);
  expect(exitCode).toBe(1);
});

test.concurrent.each(["5.2.7", "5.7.0"] as const)(
  "a queue whose key holds no list is a problem, and has ended its worker of %s",
  async (celery) => {
    await using server = await startServer();
    const redis = server.client();
    await using worker = await startWorker({ server, celery });
    await redis.set(worker.queue, "somebody else's");
    const asked = await remote(server.url(), "--queue", worker.queue);
    await worker.ended;
    redis.disconnect();
    const { of, exitCode } = await remote(server.url());
    for (const found of [asked.of("queue-length"), of("queue-length")])
      expect(found).toMatchObject([
        { level: "problem", about: worker.queue, seen: saying(/is not a list/), next: saying(/TYPE celery/) },
      ]);
    expect(exitCode).toBe(1);
  },
);

test.concurrent("tells how many messages wait in declared queues when no worker answers", async () => {
  await using server = await startServer();
  await client(server.url(), `[add.apply_async((1, n), queue="mails") for n in range(3)]`);
  const { of } = await remote(server.url());
  expect(of("queue-length")).toMatchObject([
    { about: "mails", level: "ok", seen: saying(/^3 messages wait/) },
    { about: "celery", level: "skipped", seen: saying(/nobody in this database knows the queue/) },
  ]);
});

test.concurrent("finds it with a prefix, and by --queue if it is not declared", async () => {
  await using server = await startServer();
  const options = { broker_transport_options: { global_keyprefix: "app1:" } };
  await using worker = await startWorker({ server, settings: options });
  await client(server.url(), `add.apply_async((1, 1), queue="reports")`, { settings: options });
  const redis = server.client();
  await redis.lpush("app1:orphan:5", taskMessage("orphan", "add", [1, 2]).element);
  redis.disconnect();
  const { of } = await remote(server.url(), "--global-keyprefix", "app1:", "--queue", "orphan");
  expect(of("queues-consumed")).toMatchObject([
    { level: "problem", about: "orphan", seen: saying(/^1 message waits/) },
    { level: "problem", about: "reports", next: saying(/-Q reports/) },
  ]);
  expect(worker.isRunning).toBe(true);
});

test.concurrent("accuses no worker while one that may consume it is blocked", async () => {
  await using server = await startServer();
  await using idle = await startWorker({ server });
  await using blocked = await startWorker({ server, pool: "solo", queues: ["slow"] });
  await blocked.taskStarted(await blocked.submit("nap", 300));
  await client(server.url(), `[nap.apply_async((1,), queue="slow") for n in range(9)]`);
  const { of, findings } = await remote(server.url());
  expect(of("queues-consumed")).toMatchObject([
    { level: "skipped", about: "slow", seen: saying(/1 worker did not say/) },
  ]);
  expect(findings.filter(({ level }) => level === "problem")).toEqual([]);
  expect(idle.isRunning).toBe(true);
});

test.concurrent("names a worker whose consumers were cancelled", async () => {
  await using server = await startServer();
  await using worker = await startWorker({ server });
  await client(server.url(), `app.control.cancel_consumer("celery", reply=True)`);
  await worker.submit("add", 1, 2);
  const { of } = await remote(server.url(), "--queue", "celery", ...TWO_HEARTBEATS);
  expect(of("queues-consumed")).toMatchObject([
    { level: "problem", about: worker.node, seen: saying(/consumes no queue, while work waits in celery/) },
    { level: "problem", about: "celery" },
  ]);
  expect(of("queues-consumed")[0]?.next).toMatch(/add_consumer/);
  expect(of("throughput")).toMatchObject([{ seen: "no worker that answers consumes a queue" }]);
});

test.concurrent("measures queues with their priorities against the limit of each", async () => {
  await using server = await startServer();
  await using worker = await startWorker({ server, queues: ["a", "b"] });
  await client(server.url(), `app.control.cancel_consumer("a", reply=True)`);
  const redis = server.client();
  for (const key of ["a", "a\x06\x163", "a\x06\x169", "a:5"])
    await redis.lpush(key, taskMessage("a", "add", [1, 2]).element);
  redis.disconnect();
  const limits = ["--max-queue-length", "a=3", "--max-queue-length", "5"];
  const { of } = await remote(server.url(), ...limits);
  expect(of("queue-length")).toMatchObject([
    { level: "warning", about: "a", seen: saying(/^4 messages wait, more than 3/) },
    { level: "ok", about: "b" },
  ]);
  expect(worker.isRunning).toBe(true);
});

test.concurrent.each(["5.2.7", "5.7.0"] as const)(
  "measures the lists that the application of %s has for its priorities, and finds its queues",
  async (celery) => {
    await using server = await startServer();
    const settings = { broker_transport_options: { sep: "|", priority_steps: [0, 12] } };
    const env = { TASKS_NAMESPACE: "SHOP" };
    await using worker = await startWorker({ server, celery, queues: ["a", "b"], settings, env });
    // With another separator, a client would make a binding that this kombu cannot read.
    await client(server.url(), `app.control.cancel_consumer("a", reply=True)`, { celery, settings });
    for (const key of ["a", "a|12"]) await worker.redis.lpush(key, taskMessage("a", "add", [1, 2]).element);
    const { of } = await remote(server.url(), "--max-queue-length", "1");
    expect(of("queues-consumed")).toMatchObject([
      { level: "problem", about: "a", seen: saying(/^2 messages wait/) },
    ]);
  },
);

test.concurrent.each(["5.2.7", "5.7.0"] as const)(
  "reports that more messages arrive than %s processes",
  async (celery) => {
    await using server = await startServer();
    await using worker = await startWorker({ server, celery });
    const redis = server.client();
    const send = async () => redis.lpush("celery", taskMessage("celery", "nap", [2]).element);
    for (let n = 0; n < 20; n++) await send();
    const sending = setInterval(() => void send(), 200);
    const { of } = await remote(server.url(), ...TWO_HEARTBEATS);
    clearInterval(sending);
    redis.disconnect();
    expect(of("throughput")).toMatchObject([
      { level: "warning", seen: saying(/growing by [\d.]+\/s; [01] of 1 slots busy/), next: saying(/-c/) },
    ]);
    expect(of("queue-length")).toMatchObject([{ level: "ok", seen: saying(/growing by/) }]);
    expect(worker.isRunning).toBe(true);
  },
);

test.concurrent("reports when a queue will be empty", async () => {
  await using server = await startServer();
  await using worker = await startWorker({ server });
  await client(server.url(), "[nap.delay(0.2) for n in range(200)]");
  const { of } = await remote(server.url(), ...TWO_HEARTBEATS);
  expect(of("throughput")).toMatchObject([{ level: "ok", seen: saying(/end.*empty in \d+ s at this rate/) }]);
  expect(worker.isRunning).toBe(true);
});

test.concurrent(
  "measures no throughput for a worker without heartbeats, and asks for its version",
  async () => {
    await using server = await startServer();
    await using worker = await startWorker({ server, args: ["--without-heartbeat", "--without-gossip"] });
    await using beating = await startWorker({ server, queues: ["other"] });
    const { of } = await remote(server.url(), ...TWO_HEARTBEATS);
    expect(of("throughput")).toMatchObject([
      { level: "skipped", seen: saying(/^1 of 2 workers was not heard twice/) },
    ]);
    expect(of("tasks")).toMatchObject([
      { level: "ok", about: worker.node },
      { level: "ok", about: beating.node },
    ]);
  },
);

test.concurrent("reports what it may not read, and reads the rest", async () => {
  await using server = await startServer();
  await using worker = await startWorker({ server });
  await worker.taskStarted(await worker.submit("nap", 300));
  for (let n = 0; n < 10; n++) await worker.submit("nap", 300);
  const user = { username: "shy", password: "shy-word" };
  await server.addUser(user, "~*", "&*", "+@all", "-scan", "-memory", "-zrange", "-zcard", "-zcount");
  const { of, findings } = await remote(server.url(0, user));
  expect(of("queue-length")).toMatchObject([{ level: "ok", seen: saying(/messages wait/) }]);
  expect(of("queues-consumed")).toMatchObject([{ level: "skipped", seen: saying(/SCAN is refused/) }]);
  expect(of("unregistered-task")).toMatchObject([
    { level: "skipped", seen: saying(/MEMORY USAGE is refused/) },
  ]);
  expect(of("late-tasks")).toMatchObject([
    { level: "skipped", seen: saying(/unacked_index may not be read/) },
  ]);
  expect(findings.filter(({ level }) => level === "problem")).toEqual([]);
});

test.concurrent("--node limits findings to that worker and its queues", async () => {
  await using server = await startServer();
  await using one = await startWorker({ server, queues: ["a"] });
  await using other = await startWorker({ server, queues: ["b"] });
  await other.taskStarted(await other.submit("nap", 300));
  await client(server.url(), `[add.apply_async((1, n), queue="mails") for n in range(3)]`);
  const { of, findings, stdout } = await remote(server.url(), "--node", one.node);
  for (const code of ["pool", "time-limits", "tasks"] as const)
    expect(of(code), code).toMatchObject([{ level: "ok", about: one.node }]);
  expect(of("queue-length")).toMatchObject([{ level: "ok", about: "a" }]);
  expect(of("queues-consumed")).toMatchObject([{ level: "ok", seen: "1 queue consumed" }]);
  expect(findings.filter(({ level }) => level === "problem")).toEqual([]);
  expect(stdout).not.toContain(other.node);
  expect((await remote(server.url())).of("queues-consumed")).toMatchObject([{ about: "mails" }]);
});
