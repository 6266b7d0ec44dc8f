import { join } from "node:path";
import { expect, test } from "vitest";
import { type Server, startServer } from "../../world/server.ts";
import { taskMessage } from "../../world/task-message.ts";
import { startWorker, type Worker } from "../../world/worker.ts";
import { client } from "./client.ts";
import { type Diagnosis, diagnose, saying } from "./diagnose.ts";
import { until } from "../../world/until.ts";

const remote = (server: Server, ...more: readonly string[]): Promise<Diagnosis> =>
  diagnose(["--placement", "remote", "--broker", server.url(), ...more]);

/** A task that occupies a worker with one child. More tasks wait after it than the worker prefetches. */
async function fill(worker: Worker): Promise<void> {
  await worker.taskStarted(await worker.submit("nap", 300));
  for (let n = 0; n < 10; n++) await worker.submit("nap", 300);
  await until("four are in hand", async () => (await worker.redis.zcard("unacked_index")) === 4);
}

test.concurrent.each(["5.2.7", "5.7.0"] as const)(
  "tells what %s is running, and a task that is too old",
  async (celery) => {
    await using server = await startServer();
    await using worker = await startWorker({ server, celery });
    const id = await worker.submit("nap", 300);
    await worker.taskStarted(id);
    const { of, stdout } = await remote(server, "--max-task-age", "1s");
    expect(of("tasks")).toMatchObject([
      { level: "ok", about: worker.node, seen: saying(/^1 running, the oldest tasks\.nap for \d+ s/) },
    ]);
    expect(of("task-age")).toMatchObject([
      {
        level: "warning",
        about: worker.node,
        seen: saying(new RegExp(`tasks\\.nap.*--max-task-age.*${id}`)),
      },
    ]);
    expect(stdout).not.toContain("300");
    expect((await remote(server)).of("task-age")).toMatchObject([{ level: "ok" }]);
  },
);

test.concurrent("names a task over its limit on a pool that enforces no limit", async () => {
  await using server = await startServer();
  await using worker = await startWorker({ server, pool: "threads", settings: { task_time_limit: 1 } });
  await worker.taskStarted(await worker.submit("nap", 300));
  const found = async () => (await remote(server)).of("task-age");
  await expect
    .poll(found, { timeout: 50_000 })
    .toMatchObject([
      { level: "problem", seen: saying(/the worker's time limit of 1 s/), next: saying(/threads.*prefork/) },
    ]);
});

test.concurrent("does not ask a worker for its tasks if that can harm it", async () => {
  await using server = await startServer();
  await using worker = await startWorker({ server, celery: "5.0.5" });
  await worker.taskStarted(await worker.submit("nap", 300));
  const { of, findings } = await remote(server);
  expect(of("tasks")).toMatchObject([{ level: "skipped", seen: saying(/5\.0\.5 \(older than 5\.2\)/) }]);
  expect(of("task-age")).toMatchObject([{ level: "skipped" }]);
  expect(findings.filter(({ level }) => level === "problem" || level === "warning")).toEqual([]);
});

/** The same in the form of protocol 1 (celery/app/amqp.py `as_task_v1`). */
function olderMessage(name: string): string {
  const message = JSON.parse(taskMessage("celery", "nap", [1]).element) as Record<string, unknown>;
  const body = { task: name, id: "one", args: ["s3cret"], kwargs: {}, eta: null };
  return JSON.stringify({
    ...message,
    headers: {},
    body: Buffer.from(JSON.stringify(body)).toString("base64"),
  });
}

const unknown = () => taskMessage("celery", "nap", [1]).element.replace("tasks.nap", "mails.send");

test.concurrent.each([
  ["5.2.7", unknown()],
  ["5.7.0", unknown()],
  ["5.7.0", olderMessage("mails.send")],
] as const)("names a task that comes next and that %s does not know", async (celery, element) => {
  await using server = await startServer();
  await using worker = await startWorker({ server, celery });
  await fill(worker);
  expect((await remote(server)).of("unregistered-task")).toMatchObject([
    { level: "ok", seen: saying(/know the task that comes next/) },
  ]);
  await worker.redis.rpush("celery", element);
  const { of, stdout } = await remote(server);
  expect(of("unregistered-task")).toMatchObject([
    { level: "problem", about: "celery", seen: saying(/^mails\.send comes next/), next: saying(/include/) },
  ]);
  expect(stdout).not.toContain("s3cret");
  expect(await worker.redis.lindex("celery", -1)).toBe(element);
});

test.concurrent("warns of a task that only some of its workers know", async () => {
  await using server = await startServer();
  await using newer = await startWorker({ server });
  const script = join(import.meta.dirname, "../../world/without_nap.py");
  await using older = await startWorker({ server, script });
  for (let n = 0; n < 12; n++) await newer.submit("shell", 300);
  // Each runs one task and holds four more, so neither takes another.
  await until("two wait", async () => (await newer.redis.llen("celery")) === 2);
  await newer.redis.rpush("celery", taskMessage("celery", "nap", [1]).element);
  expect((await remote(server)).of("unregistered-task")).toMatchObject([
    {
      level: "warning",
      about: "celery",
      seen: saying(new RegExp(`^tasks.nap comes next: ${newer.node} knows it and ${older.node} does not`)),
      next: saying(/same code/),
    },
  ]);
});

test.concurrent(
  "counts Celery's own tasks as known, and does not read a message of unlimited size",
  async () => {
    await using server = await startServer();
    await using worker = await startWorker({ server });
    await fill(worker);
    const own = taskMessage("celery", "nap", [1]).element.replace("tasks.nap", "celery.backend_cleanup");
    await worker.redis.rpush("celery", own);
    expect((await remote(server)).of("unregistered-task")).toMatchObject([{ level: "ok" }]);
    await worker.redis.rpush("celery", unknown() + " ".repeat(20_000_000));
    expect((await remote(server)).of("unregistered-task")).toMatchObject([
      { level: "skipped", seen: saying(/1 message could not be read/) },
    ]);
  },
);

test.concurrent.each(["5.2.7", "5.7.0"] as const)(
  "warns of an ETA beyond the visibility timeout of %s",
  async (celery) => {
    await using server = await startServer();
    await using worker = await startWorker({ server, celery });
    await client(server.url(), "add.apply_async((1, 1), countdown=7200)", { celery });
    await until("one is in hand", async () => (await worker.redis.zcard("unacked_index")) === 1);
    const { of } = await remote(server);
    expect(of("late-tasks")).toMatchObject([
      {
        level: "warning",
        seen: saying(/beyond the visibility timeout of 60 min \(the default\), tasks\.add in 120 min.*twice/),
        next: saying(/visibility_timeout/),
      },
    ]);
  },
);

test.concurrent("uses the visibility timeout of the workers", async () => {
  await using server = await startServer();
  const settings = { broker_transport_options: { visibility_timeout: 86_400 } };
  await using worker = await startWorker({ server, settings });
  await client(server.url(), "add.apply_async((1, 1), countdown=7200)");
  await until("one is in hand", async () => (await worker.redis.zcard("unacked_index")) === 1);
  expect((await remote(server)).of("late-tasks")).toMatchObject([
    { level: "ok", seen: saying(/^1 message delivered.*1 of the 1 looked at with an ETA, none late/) },
  ]);
});

test.concurrent.each(["5.2.7", "5.7.0"] as const)(
  "reads the deliveries of an application of %s that keeps them under keys of its own",
  async (celery) => {
    await using server = await startServer();
    const keys = { unacked_key: "mine", unacked_index_key: "my-index" };
    const settings = { broker_transport_options: { ...keys, visibility_timeout: 600 } };
    const env = { TASKS_NAMESPACE: "CELERY" };
    await using worker = await startWorker({ server, celery, settings, env });
    await client(server.url(), "add.apply_async((1, 1), countdown=7200)", { celery });
    await until("one is in hand", async () => (await worker.redis.zcard("my-index")) === 1);
    expect((await remote(server)).of("late-tasks")).toMatchObject([
      { level: "warning", seen: saying(/beyond the visibility timeout of 10 min, tasks\.add in 120 min/) },
    ]);
  },
);

test.concurrent("names a task whose time has come after its worker has died", async () => {
  await using server = await startServer();
  await using other = await startWorker({ server, queues: ["other"] });
  const holder = await startWorker({ server });
  await client(server.url(), "add.apply_async((1, 1), countdown=300)");
  await until("one is in hand", async () => (await other.redis.zcard("unacked_index")) === 1);
  await holder.killAll();
  expect((await remote(server)).of("late-tasks")).toMatchObject([{ level: "ok" }]);
  // As if ten minutes had passed: its time moves into the past.
  const [[tag, value] = ["", ""]] = Object.entries(await other.redis.hgetall("unacked"));
  const past = value.replace(/"eta": "[^"]*"/, '"eta": "2026-01-01T00:00:00.000001+00:00"');
  expect(past).not.toBe(value);
  await other.redis.hset("unacked", tag, past);
  expect((await remote(server)).of("late-tasks")).toMatchObject([
    {
      level: "warning",
      seen: saying(/^1 task is due and does not run, tasks\.add for/),
      next: saying(/died/),
    },
  ]);
});
