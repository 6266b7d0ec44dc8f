import { expect, test } from "vitest";
import { type Server, startServer } from "../../world/server.ts";
import { until } from "../../world/until.ts";
import { startWorker, type Worker } from "../../world/worker.ts";
import { client } from "./client.ts";
import { type Diagnosis, diagnose, saying, TWO_HEARTBEATS } from "./diagnose.ts";

const remote = (server: Server): Promise<Diagnosis> =>
  diagnose(["--placement", "remote", "--broker", server.url(), ...TWO_HEARTBEATS]);

const LATE = { task_acks_late: true, worker_prefetch_multiplier: 1 };

/** As if every delivery were ten minutes old, and kombu had put it back. */
async function putBack(worker: Worker): Promise<void> {
  for (const tag of await worker.redis.hkeys("unacked")) {
    const [message] = JSON.parse((await worker.redis.hget("unacked", tag)) ?? "[]") as [unknown];
    await worker.redis.hdel("unacked", tag);
    await worker.redis.zrem("unacked_index", tag);
    await worker.redis.lpush("celery", JSON.stringify(message));
  }
}

test("names a task that runs twice at the same time, and not one that runs once", async () => {
  await using server = await startServer();
  const options = { server, celery: "5.7.0", settings: LATE } as const;
  await using one = await startWorker(options);
  const id = await one.submit("nap", 300);
  await one.taskStarted(id);
  expect((await remote(server)).of("repeated-tasks")).toEqual([]);
  await using other = await startWorker(options);
  await putBack(one);
  await other.taskStarted(id);
  expect((await remote(server)).of("repeated-tasks")).toMatchObject([
    { level: "problem", about: "tasks.nap", seen: saying(/^tasks\.nap runs on \S+ and \S+ at once/) },
  ]);
});

test("names a task that is put back each time its child dies", async () => {
  await using server = await startServer();
  const settings = { ...LATE, task_reject_on_worker_lost: true };
  await using worker = await startWorker({ server, celery: "5.7.0", settings });
  const id = await worker.submit("nap", 300);
  await worker.taskStarted(id);
  let deaths = 0;
  const dying = setInterval(() => {
    // If the task has not begun in this child, the child would die of a cause that the doctor does not look for.
    if (worker.log().split(`began ${id}`).length <= deaths + 1) return;
    deaths += 1;
    void worker.children().then((pids) => {
      for (const pid of pids) process.kill(pid, "SIGKILL");
    });
  }, 1_000);
  const { of, exitCode } = await remote(server).finally(() => {
    clearInterval(dying);
  });
  expect(of("repeated-tasks")).toMatchObject([
    { level: "problem", seen: saying(/^tasks\.nap was put back and delivered again/) },
  ]);
  expect(exitCode).toBe(1);
});

test("warns of a worker that holds tasks which another could run", async () => {
  await using server = await startServer();
  const settings = { worker_prefetch_multiplier: 100 };
  await using one = await startWorker({ server, celery: "5.7.0", settings });
  await client(server.url(), "from tasks import nap; [nap.delay(300) for n in range(30)]", {
    celery: "5.7.0",
  });
  await until("it has taken all", async () => (await one.redis.llen("celery")) === 0);
  await using other = await startWorker({ server, celery: "5.7.0" });
  expect((await remote(server)).of("prefetch")).toMatchObject([
    {
      level: "warning",
      seen: saying(new RegExp(`${one.node}.* keeps 29 tasks waiting that ${other.node} could run`)),
      next: saying(/worker_prefetch_multiplier/),
    },
  ]);
});
