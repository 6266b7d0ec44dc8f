import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type Container, startContainer } from "../../world/container.ts";
import { freePort, type Server, startServer } from "../../world/server.ts";
import { startWorker, type Worker } from "../../world/worker.ts";
import type { WorkerOptions } from "../../world/worker-command.ts";
import { EXECUTABLE } from "../probe.ts";
import { type Diagnosis, diagnoseIn, saying } from "./diagnose.ts";

/** A worker in its own container, and what the doctor prints there. */
async function inside(
  options: Partial<WorkerOptions>,
  look: (world: { worker: Worker; container: Container; server: Server }) => Promise<Diagnosis>,
): Promise<Diagnosis> {
  await using server = await startServer();
  await using container = await startContainer();
  await using worker = await container.startWorker({ server, ...options } as WorkerOptions);
  return await look({ worker, container, server });
}

const ask = (options: Partial<WorkerOptions>, args: readonly string[] = []) =>
  inside(options, ({ container }) => diagnoseIn(container, args));

test.concurrent.each([
  ["5.7.0", "prefork"],
  ["5.2.7", "prefork"],
  ["5.7.0", "threads"],
  ["5.7.0", "gevent"],
  ["5.2.7", "solo"],
] as const)("a healthy worker of Celery %s with pool %s has no warning", async (celery, pool) => {
  const { findings, of, exitCode } = await ask({ celery, pool, concurrency: pool === "solo" ? 1 : 2 });
  expect(findings.filter(({ level }) => level === "warning" || level === "problem")).toEqual([]);
  expect(of("pool")).toMatchObject([{ seen: saying(new RegExp(`^${pool}, concurrency`)) }]);
  for (const code of ["time-limits", "memory", "restarts", "cpu", "interpreter"] as const) {
    expect(of(code), code).toHaveLength(1);
  }
  expect(of("interpreter")).toMatchObject([{ seen: saying(/bin\/python.*, PYTHONPATH \//) }]);
  expect(exitCode).toBe(0);
});

test.concurrent(
  "a worker with another broker is said to need its own run, and its queue is not checked",
  async () => {
    await using server = await startServer();
    await using container = await startContainer();
    await using one = await container.startWorker({ server, name: "a@%h" });
    await using other = await container.startWorker({
      ...{ server, name: "b@%h", queues: ["b"], brokerUrl: server.url(1) },
    });
    const both = await diagnoseIn(container);
    expect(both.of("worker")).toMatchObject([
      { level: "problem", next: saying(new RegExp(`--node ${other.node}$`)) },
    ]);
    expect(both.of("queue-length").map(({ about }) => about)).toEqual([one.queue]);
    const alone = await diagnoseIn(container, ["--node", other.node]);
    expect(alone.of("worker")).toMatchObject([{ level: "ok" }]);
    expect(alone.of("queue-length").map(({ about }) => about)).toEqual(["b"]);
    expect(alone.exitCode).toBe(0);
  },
);

describe("time limits", () => {
  test.concurrent.each(["5.7.0", "5.2.7"] as const)(
    "in the wrong order are a problem: %s",
    async (celery) => {
      const { of, exitCode } = await ask({
        celery,
        args: ["--soft-time-limit", "240", "--time-limit", "180"],
      });
      expect(of("time-limits")).toMatchObject([
        {
          level: "problem",
          seen: "soft 240 s, hard 180 s (by its pool)",
          next: saying(/soft below hard/),
        },
      ]);
      expect(exitCode).toBe(1);
    },
  );

  test.concurrent("too close together are a warning, by --limit-gap", async () => {
    const close = { settings: { task_soft_time_limit: 170, task_time_limit: 180 } };
    const { of } = await ask(close);
    expect(of("time-limits")).toMatchObject([{ level: "warning", next: saying(/10 s to clean up/) }]);
    expect((await ask(close, ["--limit-gap", "10s"])).of("time-limits")).toMatchObject([{ level: "ok" }]);
  });

  test.concurrent("that a pool ignores are a warning", async () => {
    const { of } = await ask({ pool: "threads", args: ["--time-limit", "180"] });
    expect(of("time-limits")).toMatchObject([
      { level: "warning", seen: saying(/threads pool does not enforce the hard/) },
    ]);
  });

  test.concurrent("in a variable that nothing reads are a warning", async () => {
    const { of } = await ask({ env: { CELERY_TASK_SOFT_TIME_LIMIT: "180" } });
    expect(of("time-limits")).toMatchObject([
      { level: "warning", seen: "none; without effect: CELERY_TASK_SOFT_TIME_LIMIT" },
    ]);
  });

  test.concurrent("are compared with the timeouts of the container", async () => {
    const env = {
      ANSIBLE_PLAYBOOK_TIMEOUT: "300",
      ANSIBLE_SSH_TIMEOUT: "30",
      HTTP_TIMEOUT: "170",
      SESSION_TIMEOUT: "9999",
    };
    const { of } = await ask({ env, args: ["--soft-time-limit", "180", "--time-limit", "240"] });
    expect(of("container-timeouts")).toMatchObject([
      {
        level: "warning",
        seen: "not below the soft limit of 180 s: ANSIBLE_PLAYBOOK_TIMEOUT=300; less than 30 s below the soft limit of 180 s: HTTP_TIMEOUT=170",
      },
    ]);
  });
});

test.concurrent("a pool other than the requested one is a warning", async () => {
  // The command line has priority (celery/bin/worker.py).
  const env = { CELERY_WORKER_POOL: "solo" };
  const { of } = await ask({ env, pool: "threads" });
  expect(of("pool")).toMatchObject([{ level: "ok", seen: saying(/^threads/) }]);
});

test.concurrent("memory is reported for main and children, and that children are replaced", async () => {
  const { of } = await ask({ concurrency: 2, args: ["--max-tasks-per-child", "50"] });
  expect(of("memory")).toMatchObject([
    { seen: saying(/^main [\d.]+ MB, 2 children [\d.]+ MB \(the largest [\d.]+ MB\)/) },
  ]);
  expect(of("pool")).toMatchObject([
    { seen: saying(/^prefork, concurrency 2; a child is replaced after 50 tasks$/) },
  ]);
});

test.concurrent("CPU shows a main process that is busy all the time", async () => {
  const { of } = await inside({ pool: "solo" }, async ({ worker, container }) => {
    await worker.taskStarted(await worker.submit("spin", 60));
    return diagnoseIn(container);
  });
  expect(of("cpu")).toMatchObject([{ level: "ok", seen: saying(/^main \d\d+ % of a core/) }]);
});

test.concurrent(
  "files of its command line can be written, are mounted read-only, or their folder is gone",
  async () => {
    await using server = await startServer();
    await using container = await startContainer();
    const folder = join(container.folder, "run");
    mkdirSync(folder);
    await container.run("/bin/mount", ["--bind", folder, folder]);
    const pidfile = join(folder, "worker.pid");
    await using _worker = await container.startWorker({ server, args: ["--pidfile", pidfile] });
    expect((await diagnoseIn(container)).of("file-permissions")).toMatchObject([
      { level: "ok", seen: `${pidfile} can be written` },
    ]);
    await container.run("/bin/mount", ["-o", "remount,bind,ro", folder]);
    expect((await diagnoseIn(container)).of("file-permissions")).toMatchObject([
      { level: "problem", seen: `--pidfile is on a read-only file system: ${pidfile}` },
    ]);
    await container.run("/bin/umount", [folder]);
    rmSync(folder, { recursive: true });
    expect((await diagnoseIn(container)).of("file-permissions")).toMatchObject([
      { level: "problem", seen: `the folder of --pidfile is not there: ${folder}` },
    ]);
  },
);

test.concurrent(
  "a worker that was killed is dead here, although one elsewhere answers, which is a separate finding",
  async () => {
    await using server = await startServer();
    await using container = await startContainer();
    const env = { CELERY_BROKER_URL: server.url() };
    await using sibling = await startWorker({ server });
    await using worker = await container.startWorker({ server });
    worker.kill("SIGKILL");
    await worker.ended;
    const [{ of, exitCode, findings }, check] = await Promise.all([
      diagnoseIn(container, [], env),
      container.run(EXECUTABLE, ["--timeout", "2s"], env),
    ]);
    expect(check.stdout).toMatch(/^unhealthy: dead: /);
    expect(of("worker")).toMatchObject([{ level: "problem", seen: saying(/^unhealthy: dead: /) }]);
    expect(of("siblings")).toMatchObject([{ level: "ok", seen: saying(new RegExp(sibling.node)) }]);
    expect(exitCode).toBe(1);
    expect(findings.find(({ level }) => level !== "ok")).toMatchObject({ code: "worker" });
    const afar = await diagnoseIn(container, ["--placement", "remote"], env);
    expect(afar.of("worker")).toMatchObject([
      { level: "ok", seen: saying(new RegExp(`^healthy: alive: ${sibling.node} answered`)) },
    ]);
  },
);

describe("findings that were not examined are not ok", () => {
  test.concurrent("when a broker refuses connections", async () => {
    const { findings, of } = await inside({}, async ({ container }) =>
      diagnoseIn(container, ["--broker", `redis://127.0.0.1:${await freePort()}/0`]),
    );
    expect(of("broker")).toMatchObject([{ level: "problem" }]);
    expect(of("time-limits")).toMatchObject([{ level: "skipped" }]);
    // What a process shows was still seen.
    expect(findings.filter(({ level }) => level === "ok").map(({ code }) => code)).toEqual(
      expect.not.arrayContaining(["time-limits", "pool", "queue-length", "late-tasks", "failed-results"]),
    );
  });

  test.concurrent("in another database than the worker's", async () => {
    const { findings, of } = await inside({}, ({ container, server }) =>
      diagnoseIn(container, ["--broker", server.url(7)]),
    );
    expect(of("worker")).toMatchObject([{ level: "problem" }]);
    for (const code of ["time-limits", "queue-length", "late-tasks", "failed-results"] as const)
      expect(of(code), code).toMatchObject([{ level: "skipped" }]);
    const seen = new Set(findings.filter(({ level }) => level === "ok").map(({ code }) => code));
    for (const code of seen)
      expect(["broker", "broker-memory", "memory", "oom-kills", "restarts", "cpu", "interpreter"]).toContain(
        code,
      );
  });
});
