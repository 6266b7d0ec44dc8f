import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { join } from "node:path";
import { execa } from "execa";
import { expect, test } from "vitest";
import { startContainer } from "../../world/container.ts";
import { celeryVenv } from "../../world/python.ts";
import { startServer } from "../../world/server.ts";
import { taskMessage } from "../../world/task-message.ts";
import { startWorker, type Worker } from "../../world/worker.ts";
import { EXECUTABLE } from "../probe.ts";
import {
  diagnose,
  diagnoseIn,
  type Diagnosis,
  doctor,
  type Printed,
  problemsIn,
  readFindings,
  saying,
} from "./diagnose.ts";
import { until } from "../../world/until.ts";

const REMOTE = ["--placement", "remote"];

/** The doctor with a log as its stdin, as in `docker logs w 2>&1 | celery-probe doctor --log -`. */
async function read(log: string, url: string): Promise<readonly Printed[]> {
  return (await pipe(log, url)).findings;
}

/** The same, with its exit code. */
async function pipe(
  log: string,
  url: string,
): Promise<Pick<Diagnosis, "exitCode" | "findings" | "problems">> {
  const args = doctor(["--log", "-", ...REMOTE]);
  const env = { CELERY_BROKER_URL: url };
  const { exitCode, stdout } = await execa(EXECUTABLE, args, {
    env,
    extendEnv: false,
    reject: false,
    input: log,
  });
  const findings = readFindings(stdout);
  const ofLogs = findings.filter(({ code }) => code === "log" || code === "pool-package");
  return { exitCode, findings: ofLogs, problems: problemsIn(findings) };
}

test.concurrent.each(["5.7.0", "5.2.7"] as const)(
  "limits, a lost child and an unknown task are found in the log of Celery %s",
  async (celery) => {
    await using server = await startServer();
    await using worker = await startWorker({ server, celery, args: ["--time-limit", "2"] });
    expect(await read(worker.log(), server.url())).toMatchObject([
      { level: "ok", about: "stdin", seen: saying(/^no known problem in \d+ lines$/) },
    ]);
    const { element } = taskMessage(worker.queue, "fail", ["s3cret-argument"]);
    await worker.redis.lpush(worker.queue, element.replace("tasks.fail", "tasks.nobody"));
    await worker.waitForLog(/unregistered task/);
    const soft = taskMessage(worker.queue, "nap", [30]).element;
    await worker.redis.lpush(worker.queue, soft.replace('"timelimit":[null,null]', '"timelimit":[null,1]'));
    await worker.waitForLog(/Soft time limit/, { timeoutMs: 20_000 });
    await worker.submit("nap", 30);
    await worker.waitForLog(/Hard time limit/, { timeoutMs: 20_000 });
    // The limit does not end this task. The child that the limit ended may still exist, beside the one that runs this
    // task.
    const lost = taskMessage(worker.queue, "nap", [30]);
    await worker.redis.lpush(
      worker.queue,
      lost.element.replace('"timelimit":[null,null]', '"timelimit":[600,null]'),
    );
    await worker.taskStarted(lost.id);
    for (const child of await worker.children()) {
      try {
        process.kill(child, "SIGKILL");
      } catch {
        // It has ended meanwhile.
      }
    }
    await worker.waitForLog(/exited prematurely/, { timeoutMs: 20_000 });
    const found = await read(worker.log(), server.url());
    expect(short(found)).toEqual([
      ["problem", "the worker threw away tasks that it does not know"],
      ["warning", "a task was killed at its hard time limit"],
      ["warning", "a task met its soft time limit"],
      ["warning", "a child was killed in the middle of a task"],
    ]);
    expect(JSON.stringify(found)).not.toContain("s3cret");
  },
);

/** Level and words, without the count and the last occurrence. */
function short(found: readonly Printed[]): readonly (readonly [string, string])[] {
  return found.map(({ level, seen }) => [level, seen.replace(/, \d+ × in it.*/, "")]);
}

test.concurrent.each(["5.7.0", "5.2.7"] as const)(
  "messages that cannot be read, want of room and of memory are found in the log of Celery %s",
  async (celery) => {
    await using server = await startServer();
    await using worker = await startWorker({ server, celery });
    const { element } = taskMessage(worker.queue, "fail", ["s3cret-argument"]);
    await worker.redis.lpush(
      worker.queue,
      element.replace("application/json", "application/x-python-serialize"),
    );
    await worker.waitForLog(/Refusing to deserialize/);
    await worker.submit("write", "/dev/full", "s3cret-argument");
    await worker.waitForLog(/No space left/);
    await worker.submit("hoard", 62);
    await worker.waitForLog(
      celery === "5.7.0" ? /Unrecoverable error: .*MemoryError[^]*\n.*MemoryError/ : /MemoryError/,
    );
    const found = await read(worker.log(), server.url());
    expect(short(found)).toEqual([
      ["problem", "a disk is full"],
      ["problem", "the worker met messages that it cannot read"],
      celery === "5.7.0"
        ? ["problem", "a task has run out of memory, which ended it"]
        : ["warning", "a task has run out of memory"],
    ]);
    expect(JSON.stringify(found)).not.toContain("s3cret");
  },
);

test.concurrent.each(["5.7.0", "5.2.7"] as const)(
  "a broker that is full is found in the log of Celery %s, which it has ended",
  async (celery) => {
    await using server = await startServer();
    await using worker = await startWorker({ server, celery });
    worker.suspend();
    await worker.submit("add", 1, 2);
    await worker.redis.config("SET", "maxmemory", "1");
    worker.resume();
    await worker.ended;
    expect(short(await read(worker.log(), server.url()))).toEqual([
      ["problem", "the broker is full and takes nothing, which ended it"],
    ]);
  },
);

test.concurrent.each(["5.7.0", "5.2.7"] as const)(
  "a broker that refuses a wrong password, and none, is found in the log of Celery %s",
  async (celery) => {
    await using server = await startServer({ password: "right" });
    for (const login of [":wrong@", ""]) {
      const brokerUrl = server.url().replace(":right@", login);
      await using worker = await startWorker({ server, brokerUrl, celery, until: "started" });
      await worker.waitForLog(/Cannot connect to|AuthenticationError/, { timeoutMs: 20_000 });
      const [first] = short(await read(worker.log(), server.url()));
      expect(first).toEqual(["problem", "the broker refuses the login"]);
    }
  },
);

test.concurrent.each(["5.7.0", "5.2.7"] as const)(
  "a lost broker is found in the log of Celery %s",
  async (celery) => {
    const server = await startServer();
    await using other = await startServer();
    await using worker = await startWorker({ server, celery });
    await server.stop();
    await worker.waitForLog(/Cannot connect to/, { timeoutMs: 20_000 });
    expect(await read(worker.log(), other.url())).toMatchObject([
      {
        level: "warning",
        seen: saying(/^the connection to the broker was lost or refused, \d+ × in it; last: Cannot/),
      },
    ]);
  },
);

test.concurrent("a pool whose package is missing is named", async () => {
  await using server = await startServer();
  const venv = await celeryVenv("5.7.0");
  const args = ["-b", server.url(), "worker", "-P", "eventlet"];
  const { stderr } = await execa(venv.celery, args, {
    reject: false,
    env: { PATH: "/usr/bin:/bin" },
    extendEnv: false,
  });
  expect(await read(stderr, server.url())).toMatchObject([
    { code: "pool-package", level: "problem", seen: saying(/-P eventlet, and eventlet is not installed/) },
    { code: "log", seen: saying(/^a module was not found/) },
  ]);
});

test.concurrent("the log of -f is found, with the node's name in it", async () => {
  await using server = await startServer();
  await using container = await startContainer();
  const path = join(container.folder, "%n.log");
  await using worker = await container.startWorker({ server, args: ["-f", path], until: "started" });
  const { element } = taskMessage(worker.queue, "add", [1, 2]);
  await worker.redis.lpush(worker.queue, element.replace("tasks.add", "tasks.nobody"));
  const log = join(container.folder, "celery.log");
  await until("it is logged", () => existsSync(log) && readFileSync(log, "utf8").includes("unregistered"));
  expect((await diagnoseIn(container)).of("log")).toMatchObject([
    {
      level: "problem",
      about: log,
      seen: saying(/unregistered task of type 'tasks\.nobody'/),
    },
  ]);
});

/** A task that no worker knows. */
async function submitUnknown(worker: Worker, name: string): Promise<void> {
  const { element } = taskMessage(worker.queue, "add", [1, 2]);
  await worker.redis.lpush(worker.queue, element.replace("tasks.add", name));
}

/** Lines of a run that is over, and then the lines since its successor's start. */
const OVER = [
  { level: "ok", seen: saying(/^no known problem in \d+ lines? since its last start$/) },
  {
    level: "ok",
    seen: "before its last start: Received unregistered task of type 'tasks.nobody'",
    next: null,
  },
];
const OVER_AND_NOW = [
  {
    level: "problem",
    seen: saying(
      /threw away tasks that it does not know, 1 × since its last start; last: Received unregistered task of type 'tasks\.anybody'$/,
    ),
  },
  OVER[1],
];

test.concurrent.each(["5.7.0", "5.2.7"] as const)(
  "a worker's lines before its last start are no problem, Celery %s at stdin",
  async (celery) => {
    await using server = await startServer();
    const options = { server, celery, name: "again@world" } as const;
    const first = await startWorker(options);
    await submitUnknown(first, "tasks.nobody");
    await first.waitForLog(/unregistered task/);
    expect((await pipe(first.log(), server.url())).exitCode).toBe(1);
    await first.stop();
    await using second = await startWorker(options);
    const over = await pipe(first.log() + second.log(), server.url());
    expect(over.findings).toMatchObject(OVER);
    expect(over.exitCode).toBe(over.problems.length === 0 ? 0 : 1);
    await submitUnknown(second, "tasks.anybody");
    await second.waitForLog(/unregistered task/);
    const now = await pipe(first.log() + second.log(), server.url());
    expect(now.findings).toMatchObject(OVER_AND_NOW);
    expect(now.exitCode).toBe(1);
    await second.stop();
    const [gone] = await read(first.log() + second.log(), server.url());
    expect(gone).toMatchObject({ level: "problem", seen: saying(/that it does not know, 2 × in it/) });
  },
);

// At level WARNING, a file has no line about the start. Only the time stamps are left, in the worker's time zone.
test.concurrent.each([
  ["5.7.0", "INFO", "UTC"],
  ["5.2.7", "INFO", "UTC"],
  ["5.7.0", "WARNING", "Asia/Kolkata"],
  ["5.2.7", "WARNING", "America/St_Johns"],
] as const)(
  "a worker's lines before its last start are no problem, Celery %s with -f -l %s in %s",
  async (celery, level, zone) => {
    await using server = await startServer();
    await using container = await startContainer();
    const path = join(container.folder, "w.log");
    const args = ["-f", path, "-l", level];
    const options = { server, celery, args, env: { TZ: zone }, until: "started" } as const;
    const first = await container.startWorker(options);
    expect(await first.answers(20_000)).toBe(true);
    await submitUnknown(first, "tasks.nobody");
    await waitForFile(path, /unregistered task/);
    await first.stop();
    await using second = await container.startWorker(options);
    expect(await second.answers(20_000)).toBe(true);
    const over = await diagnoseIn(container);
    expect(over.of("log")).toMatchObject(OVER);
    expect(over.exitCode).toBe(over.problems.length === 0 ? 0 : 1);
    await submitUnknown(second, "tasks.anybody");
    await waitForFile(path, /tasks\.anybody/);
    const now = await diagnoseIn(container);
    expect(now.of("log")).toMatchObject(OVER_AND_NOW);
    expect(now.exitCode).toBe(1);
    if (level === "WARNING") return;
    expect((await diagnoseIn(container, ["--log", path])).of("log")).toMatchObject(OVER_AND_NOW);
  },
);

/** Waits up to 20 s for words in a file. */
async function waitForFile(path: string, words: RegExp): Promise<void> {
  const end = performance.now() + 20_000;
  while (!existsSync(path) || !words.test(readFileSync(path, "utf8"))) {
    if (performance.now() > end) throw new Error(`no ${words} in ${path}`);
    await wait(20);
  }
}

test.concurrent.each(["5.7.0", "5.2.7"] as const)(
  "a connection that is made anew is no start of Celery %s",
  async (celery) => {
    await using server = await startServer();
    await using worker = await startWorker({ server, celery });
    await submitUnknown(worker, "tasks.nobody");
    await worker.waitForLog(/unregistered task/);
    await worker.redis.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
    await worker.waitForLog(/Connection to broker lost/, { timeoutMs: 20_000 });
    await worker.taskSucceeded(await worker.submit("add", 1, 2), 20_000);
    expect(worker.log().match(/ ready\.$/gm)).toHaveLength(1);
    const found = await read(worker.log(), server.url());
    expect(short(found)).toEqual([
      ["problem", "the worker threw away tasks that it does not know"],
      ["warning", "the connection to the broker was lost or refused"],
    ]);
  },
);

test.concurrent("a missing log, and one with a password, are reported without the password", async () => {
  await using server = await startServer();
  await using _worker = await startWorker({ server });
  const env = { CELERY_BROKER_URL: server.url() };
  const gone = await diagnose([...REMOTE, "--log", "/no/such/file"], env);
  expect(gone.of("log")).toMatchObject([
    { level: "problem", seen: "it is not there", about: "/no/such/file" },
  ]);
  await using container = await startContainer();
  const file = join(container.folder, "w.log");
  const body = `{"message": "Received unregistered task of type 'shop.mail'.\\\\nbody was: [[\\"s3cret\\"]]"}`;
  writeFileSync(file, `${body}\n`);
  const json = await diagnose([...REMOTE, "--log", file], env);
  expect(json.of("log")).toMatchObject([
    { level: "problem", seen: saying(/last: Received unregistered task of type 'shop\.mail'$/) },
  ]);
  expect(json.stdout).not.toContain("s3cret");
  writeFileSync(file, "consumer: Cannot connect to redis://:s3cret@cache:6379/0: refused.\n");
  const { of, stdout } = await diagnose([...REMOTE, "--log", file], env);
  expect(of("log")).toMatchObject([
    { level: "warning", seen: saying(/last: Cannot connect to redis:\/\/:\*+@cache/) },
  ]);
  expect(stdout).not.toContain("s3cret");
});
