import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type Server, startServer } from "../../world/server.ts";
import { until } from "../../world/until.ts";
import { startWorker, type Worker } from "../../world/worker.ts";
import { probe } from "../probe.ts";
import { client } from "./client.ts";
import { type Diagnosis, diagnose, saying, TWO_HEARTBEATS } from "./diagnose.ts";

const VERSIONS = ["5.2.7", "5.7.0"] as const;

const remote = (server: Server, ...more: readonly string[]): Promise<Diagnosis> =>
  diagnose(["--placement", "remote", "--broker", server.url(), ...TWO_HEARTBEATS, ...more]);

/** The code that the last line names. */
async function firstOf(server: Server): Promise<string | undefined> {
  const words = ["--placement", "remote", "--broker", server.url(), ...TWO_HEARTBEATS];
  const { stdout } = await probe(["doctor", ...words]);
  return /^first: ([\w-]+): /m.exec(stdout)?.[1];
}

const inHand = (worker: Worker, count: number) =>
  until(`${count} are in hand`, async () => (await worker.redis.zcard("unacked_index")) === count);

/** As if every delivery were ten minutes old. */
async function age(worker: Worker): Promise<void> {
  const tags = await worker.redis.zrange("unacked_index", 0, "-1");
  for (const tag of tags) await worker.redis.zincrby("unacked_index", "-600", tag);
}

const wrong = ({ findings }: Diagnosis) =>
  findings.filter(({ level }) => level === "problem" || level === "warning");

test.concurrent.each(VERSIONS)("names a worker of %s whose children hang", async (celery) => {
  await using server = await startServer();
  await using worker = await startWorker({ server, celery, env: { TASKS_CHILDREN: "hang" } });
  for (let n = 0; n < 12; n++) await worker.submit("add", 1, 2);
  await inHand(worker, 4);
  const [{ of, exitCode }, first] = await Promise.all([remote(server), firstOf(server)]);
  expect(of("standstill")).toMatchObject([
    {
      level: "problem",
      about: "celery",
      seen: saying(/^8 messages wait, and \S+ has begun nothing for \d+ s, though 1 of 1 slot is free/),
      next: saying(/py-spy/),
    },
  ]);
  expect(of("late-tasks")).toMatchObject([
    { level: "warning", seen: saying(/^4 tasks are due and do not run, tasks\.add for \d+ s/) },
  ]);
  expect(exitCode).toBe(1);
  expect(first).toBe("standstill");
});

test.concurrent.each(VERSIONS)("names deliveries that a dead worker of %s has left", async (celery) => {
  await using server = await startServer();
  await using other = await startWorker({ server, celery, queues: ["other"] });
  const holder = await startWorker({ server, celery, settings: { task_acks_late: true } });
  await holder.taskStarted(await holder.submit("nap", 300));
  for (let n = 0; n < 3; n++) await holder.submit("add", 1, 2);
  await inHand(holder, 4);
  await holder.killAll();
  const [{ of: atOnce }, first] = await Promise.all([remote(server), firstOf(server)]);
  expect(atOnce("late-tasks")).toMatchObject([{ level: "warning", seen: saying(/^4 tasks .* for \d+ s/) }]);
  expect(first).toBe("late-tasks");
  await age(other);
  const { of } = await remote(server);
  expect(of("late-tasks")).toMatchObject([
    {
      level: "warning",
      seen: saying(/^4 tasks are due and do not run, tasks\.\w+ for 10 min/),
      next: saying(/died.*comes? back after the visibility timeout of 60 min/),
    },
  ]);
});

test.concurrent.each(VERSIONS)(
  "names a binding that is gone, so that %s throws tasks away",
  async (celery) => {
    await using server = await startServer();
    const settings = {
      task_default_exchange: "events",
      task_default_exchange_type: "topic",
      task_default_routing_key: "events.default",
    };
    await using worker = await startWorker({ server, celery, settings });
    // A client that already runs, so its next message declares nothing.
    const send = `
from kombu import Exchange
with app.producer_or_acquire() as producer:
    for n in range(3):
        add.apply_async((1, n), producer=producer, exchange="events", routing_key="events.default", declare=[])
`;
    await client(server.url(), send, { celery, settings });
    await worker.waitForLog(/(?:succeeded[^]*){3}/);
    expect((await remote(server)).of("queue-binding")).toEqual([]);
    await worker.redis.del("_kombu.binding.events");
    await client(server.url(), send, { celery, settings });
    expect(await worker.redis.exists("celery", "_kombu.binding.events")).toBe(0);
    const [{ of }, first] = await Promise.all([remote(server), firstOf(server)]);
    expect(of("queue-binding")).toMatchObject([
      {
        level: "problem",
        about: "celery",
        seen: saying(
          /topic exchange events no longer leads to it: kombu throws away tasks .*events\.default without/,
        ),
        next: saying(/restart/),
      },
    ]);
    expect(first).toBe("queue-binding");
  },
);

test.concurrent.each([
  ["5.2.7", { priority_steps: [0, 1, 2, 3, 4, 5] }, {}, 4, /"celery\\+u0006\\+u00164"/],
  ["5.7.0", { priority_steps: [0, 1, 2, 3, 4, 5] }, {}, 4, /"celery\\+u0006\\+u00164"/],
  ["5.2.7", {}, { sep: ":" }, 9, /"celery\\+u0006\\+u00169"/],
  ["5.7.0", { sep: ":" }, {}, 9, /"celery:9"/],
] as const)(
  "names a list of priorities that %s does not read, of clients with %j beside workers with %j",
  async (celery, ofClient, ofWorker, priority, list) => {
    await using server = await startServer();
    await using worker = await startWorker({
      server,
      celery,
      settings: { broker_transport_options: ofWorker },
    });
    const settings = { broker_transport_options: ofClient };
    const sent = `[add.apply_async((1, n), priority=${priority}) for n in range(3)]`;
    await client(server.url(), sent, { celery, settings });
    const [{ of }, first] = await Promise.all([remote(server), firstOf(server)]);
    expect(of("priority-lists")).toMatchObject([
      { level: "problem", about: "celery", seen: saying(list), next: saying(/priority_steps/) },
    ]);
    expect(of("priority-lists")[0]?.seen).toMatch(/^3 messages wait in /);
    expect(first).toBe("priority-lists");
    expect(worker.log()).not.toContain("succeeded");
  },
);

test.concurrent.each([
  ["5.2.7", "prefork"],
  ["5.7.0", "prefork"],
  ["5.7.0", "threads"],
] as const)("warns of slots of %s, %s, that tasks hold too long for what waits", async (celery, pool) => {
  await using server = await startServer();
  await using worker = await startWorker({ server, celery, pool, concurrency: 2 });
  const sent = await Promise.all([worker.submit("nap", 300), worker.submit("nap", 300)]);
  for (const id of sent) await worker.taskStarted(id);
  for (let n = 0; n < 90; n++) await worker.submit("nap", 300);
  const [{ of }, first] = await Promise.all([remote(server), firstOf(server)]);
  expect(of("standstill")).toMatchObject([
    {
      level: "warning",
      about: "celery",
      seen: saying(/hold all of the 2 slots; the youngest, tasks\.nap, had run for \d+ s when asked/),
      next: saying(/--time-limit/),
    },
  ]);
  expect(first).toBe("standstill");
});

const RESULTS = (server: Server) => ({ result_backend: server.url(1), task_ignore_result: false });

test.concurrent.each(
  VERSIONS.flatMap((celery) =>
    (
      [
        ["get", "prefork", 2],
        ["get", "threads", 2],
        ["chain", "prefork", 0],
        ["chord", "prefork", 9],
      ] as const
    ).map((row) => [celery, ...row] as const),
  ),
)(
  "names tasks of %s that wait (%s, %s) for tasks behind them, with %i more",
  async (celery, how, pool, more) => {
    await using server = await startServer();
    await using worker = await startWorker({
      server,
      celery,
      pool,
      concurrency: 2,
      settings: RESULTS(server),
    });
    const sent = await Promise.all([1, 2].map(() => worker.submit("delegate", worker.queue, how)));
    for (const id of sent) await worker.taskStarted(id);
    for (let n = 0; n < more; n++) await worker.submit("nap", 300);
    const [{ of, exitCode }, first] = await Promise.all([remote(server), firstOf(server)]);
    expect(of("standstill")).toMatchObject([
      {
        level: "problem",
        about: "celery",
        seen: saying(
          /: tasks \(tasks\.delegate\) hold all of the 2 slots and wait for results of tasks behind them \(tasks\.add\)/,
        ),
        next: saying(/do not call \.get\(\) in a task/),
      },
    ]);
    expect(exitCode).toBe(1);
    expect(first).toBe("standstill");
  },
);

test.concurrent.each(
  VERSIONS.flatMap((celery) =>
    (
      [
        ["send", "prefork"],
        ["send", "threads"],
        ["group", "prefork"],
        ["chains", "prefork"],
        ["chords", "prefork"],
      ] as const
    ).map((row) => [celery, ...row] as const),
  ),
)("finds nothing wrong with tasks of %s that send others (%s, %s) and go on", async (celery, how, pool) => {
  await using server = await startServer();
  await using worker = await startWorker({ server, celery, pool, concurrency: 1, settings: RESULTS(server) });
  await worker.taskStarted(await worker.submit("delegate", worker.queue, how));
  await until("its tasks wait", async () => (await worker.redis.zcard("unacked_index")) > 0);
  for (let n = 0; n < 9; n++) await worker.submit("add", 1, 2);
  const diagnosis = await remote(server);
  expect(diagnosis.of("standstill")).toMatchObject([{ level: "ok" }]);
  expect(wrong(diagnosis), diagnosis.stdout).toEqual([]);
});

test.concurrent.each(VERSIONS)("warns of failing tasks of %s, by results and log", async (celery) => {
  await using server = await startServer();
  const settings = { result_backend: server.url(1), task_ignore_result: false };
  await using worker = await startWorker({ server, celery, settings });
  const sent = `from tasks import fail
print(*[fail.delay("s3cret").id for n in range(6)], add.delay(1, 2).id)`;
  const ids = (await client(server.url(), sent, { celery, settings })).split(" ");
  await worker.taskSucceeded(ids.at(-1) ?? "");
  const log = join(await mkdtemp(join(tmpdir(), "undone-")), "worker.log");
  await writeFile(log, worker.log());
  const { of, stdout } = await remote(server, "--log", log);
  expect(of("failed-results")).toMatchObject([{ level: "warning", seen: saying(/^6 of 7 results failed/) }]);
  expect(of("log")).toMatchObject([
    {
      level: "warning",
      seen: saying(/^tasks have raised an exception, 6 × of 7 tasks .*raised unexpected(?:: ValueError)?$/),
    },
  ]);
  expect(stdout).not.toContain("s3cret");
});

/** Tasks that wait for every kind of reason, each on its own queue, if the pool shows the reason. */
test.concurrent.each([
  ["5.2.7", "prefork"],
  ["5.7.0", "prefork"],
  ["5.2.7", "threads"],
  ["5.7.0", "threads"],
  ["5.7.0", "gevent"],
  ["5.7.0", "eventlet"],
  ["5.7.0", "solo"],
] as const)("finds nothing undone in healthy workers of %s, %s", async (celery, pool) => {
  await using server = await startServer();
  const start = (queue: string, settings = {}) =>
    startWorker({ server, celery, pool, queues: [queue], concurrency: pool === "solo" ? 1 : 2, settings });
  await using limited = await start("limited");
  await using slow = await start("slow", { task_acks_late: true });
  await using timed = await start("timed");
  for (let n = 0; n < 20; n++) await limited.submit("limited");
  for (let n = 0; n < 9; n++) await slow.submit("nap", 4);
  const later = `[add.apply_async((1, n), queue="timed", countdown=900) for n in range(9)]`;
  await client(server.url(), later, { celery });
  await until("all have what they take", async () => (await limited.redis.zcard("unacked_index")) >= 9 + 3);
  // One worker has just started, with long tasks. Fewer tasks wait than it prefetches.
  await using young = await start("young");
  for (let n = 0; n < 5; n++) await young.submit("nap", 60);
  const first = await remote(server);
  expect(wrong(first), first.stdout).toEqual([]);
  expect(first.of("standstill").filter(({ about }) => about === "limited")).toMatchObject([
    { level: "ok", seen: saying(/may wait for a rate limit/) },
  ]);
  await age(timed);
  const second = await remote(server);
  expect(wrong(second), second.stdout).toEqual([]);
});
