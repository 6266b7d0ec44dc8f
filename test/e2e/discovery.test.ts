import { chmod, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { queuesOf, slotsOf } from "../../src/celery/worker-settings.ts";
import type { ProcFiles } from "../../src/worker/proc-files.ts";
import { procFs as openProc } from "../../src/worker/proc-fs.ts";
import { candidatesIn } from "../../src/worker/candidates.ts";
import { survey, workerByPid, workerNode, type WorkerProcess } from "../../src/worker/survey.ts";
import type { CeleryVersion } from "../world/pairs.ts";
import { answersPing, pidboxChannel } from "../world/pidbox-by-hand.ts";
import { ProcessGroup } from "../world/process-group.ts";
import { type CeleryVenv, celeryVenv, unpackedPackage } from "../world/python.ts";
import { type Server, startServer } from "../world/server.ts";
import { startWorker } from "../world/worker.ts";

/** Real workers, started in every possible way, found in the real /proc. No executable is needed. */

const procFs = openProc(() => 0);

const WORLD = join(import.meta.dirname, "../world");

let server: Server;
let venv: CeleryVenv;
beforeAll(async () => {
  [server, venv] = await Promise.all([startServer(), celeryVenv("5.7.0")]);
});
afterAll(async () => {
  await server.stop();
});

/**
 * Of this machine's processes, only init and those in one group are visible, because other tests' workers run at the
 * same time.
 */
function only(group: number): ProcFiles {
  const isOfGroup = (pid: number): boolean => {
    const text = procFs.read(`/proc/${pid}/stat`);
    return text.ok && Number(text.value.slice(text.value.lastIndexOf(")") + 2).split(" ")[2]) === group;
  };
  const pids = (): readonly number[] => (procFs.pids() ?? []).filter((pid) => pid === 1 || isOfGroup(pid));
  return { ...procFs, pids };
}

interface Start {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Programs for the folder where it starts. */
  readonly files?: Readonly<Record<string, string>>;
  /** Default: until a worker is ready. */
  readonly until?: RegExp;
}

async function start({
  command,
  args,
  env = {},
  files = {},
  until = / ready\.$/m,
}: Start): Promise<ProcessGroup> {
  // The program waits for its files, because its folder is made at its start.
  const script = 'until [ -e started ]; do sleep 0.01; done; exec "$0" "$@"';
  const group = await ProcessGroup.start({
    what: "discovery",
    command: "/bin/sh",
    args: () => ["-c", script, command, ...args],
    env: (folder) => ({
      PATH: `${venv.folder}/bin:/usr/bin:/bin`,
      HOME: folder,
      LANG: "C.UTF-8",
      PYTHONPATH: `${WORLD}:${folder}`,
      PYTHONDONTWRITEBYTECODE: "1",
      PYTHONUNBUFFERED: "1",
      CELERY_BROKER_URL: server.url(),
      ...env,
    }),
  });
  for (const [name, text] of Object.entries({ ...files, started: "" })) {
    await writeFile(join(group.folder, name), text);
    await chmod(join(group.folder, name), 0o755);
  }
  try {
    await group.waitForLog(until, { timeoutMs: 30_000 });
    return group;
  } catch (error) {
    await group.stop(0);
    throw error;
  }
}

const nodes = (workers: readonly WorkerProcess[]) =>
  workers.map((worker) => workerNode(worker, hostname(), {})).sort();

/** The only worker of a group. */
function worker(group: ProcessGroup): WorkerProcess {
  const { workers, visible } = survey(only(group.pid));
  expect(visible).toBe(true);
  expect(workers).toHaveLength(1);
  return (workers as readonly [WorkerProcess])[0];
}

async function end(group: ProcessGroup): Promise<void> {
  await group.stop(0);
  // It waits only for the end of the first process.
  await untilTrue(() => survey(only(group.pid)).workers.length === 0);
}

const ARGS = ["-A", "tasks", "worker", "-l", "INFO", "-c", "2", "-Q", "one,two"];

describe("survey finds exactly the main process of a worker", () => {
  test.each<[string, () => Start, boolean]>([
    ["the celery script starts it", () => ({ command: "celery", args: [...ARGS, "-n", "d@%h"] }), true],
    [
      "python -m celery starts it",
      () => ({ command: "python", args: ["-um", "celery", ...ARGS, "-nd@%h"] }),
      true,
    ],
    [
      "a shell stands in between",
      () => ({ command: "/bin/sh", args: ["-c", `celery ${ARGS.join(" ")} --hostname=d@%h; exit`] }),
      false,
    ],
    [
      "it was started in the background of a shell",
      () => ({ command: "/bin/sh", args: ["-c", `celery ${ARGS.join(" ")} -n d@%h & wait`] }),
      false,
    ],
    [
      "a management command runs it",
      () => ({
        command: "python",
        args: ["manage.py", "celery", ...ARGS, "-n", "d@%h"],
        files: { "manage.py": "import sys\nfrom tasks import app\napp.start(sys.argv[2:])\n" },
      }),
      true,
    ],
    [
      "a Python program runs it as a child",
      () => ({
        command: "python",
        args: ["reload.py", "celery", ...ARGS, "-n", "d@%h"],
        files: { "reload.py": "import subprocess, sys\nsubprocess.run(sys.argv[1:])\n" },
      }),
      false,
    ],
    [
      "its pool is spawned",
      () => ({ command: "celery", args: [...ARGS, "-n", "d@%h", "--pool-start-method", "spawn"] }),
      true,
    ],
    [
      "its pool has one process, itself",
      () => ({ command: "celery", args: [...ARGS, "-n", "d@%h", "-P", "solo"] }),
      true,
    ],
  ])("when %s", async (_, how, isFirst) => {
    const group = await start(how());
    try {
      const found = worker(group);
      expect(found.pid === group.pid).toBe(isFirst);
      expect(found).toMatchObject({
        foundBy: "command",
        innerPid: found.pid,
        command: { name: "d@%h", node: null, broker: null },
        environment: { CELERY_BROKER_URL: server.url() },
      });
      expect([queuesOf(found, {}), slotsOf(found, 0, {})]).toEqual([["one", "two"], 2]);
      expect(nodes([found])).toEqual([`d@${hostname()}`]);
    } finally {
      await end(group);
    }
  });

  test("when it is importing, in the foreground and in the background of a shell", async () => {
    const files = { "slow.py": "import time\nprint('importing')\ntime.sleep(60)\n" };
    const run = "celery -A slow worker -n d@%h";
    for (const line of [`${run}; exit`, `${run} & wait`]) {
      const group = await start({ command: "/bin/sh", args: ["-c", line], files, until: /importing/ });
      try {
        expect(worker(group).command.name).toBe("d@%h");
      } finally {
        await end(group);
      }
    }
  });

  test("when its broker is on the command line and its name in the environment", async () => {
    const group = await start({
      command: "celery",
      args: ["--broker", server.url(3), "-A", "tasks", "worker", "-lINFO", "-Psolo", "--without-gossip"],
      env: { CELERY_WORKER_HOSTNAME: "env@%h", CELERY_BROKER_URL: "" },
    });
    try {
      const found = worker(group);
      expect(found.command).toMatchObject({
        name: null,
        broker: server.url(3),
      });
      expect(found.command.values.get("pool")).toBe("solo");
      expect(found.command.flags.has("without-gossip")).toBe(true);
      expect(nodes([found])).toEqual([`env@${hostname()}`]);
    } finally {
      await end(group);
    }
  });

  test("when setproctitle has written its title", async () => {
    const titles = await unpackedPackage("setproctitle", "setproctitle==1.3.7");
    const env = { PYTHONPATH: `${WORLD}:${titles}` };
    const group = await start({ command: "celery", args: [...ARGS, "-n", "titled@%h"], env });
    try {
      await untilTrue(() => worker(group).foundBy === "title");
      const found = worker(group);
      expect(found).toMatchObject({
        pid: group.pid,
        command: { node: `titled@${hostname()}` },
        environment: null,
      });
      expect([queuesOf(found, {}), slotsOf(found, 0, {})]).toEqual([["one", "two"], 2]);
      expect(nodes([found])).toEqual([`titled@${hostname()}`]);
    } finally {
      await end(group);
    }
  });
});

test("survey finds both when two workers run beside each other", async () => {
  const run = (name: string) => `celery ${ARGS.join(" ")} -n ${name}@world &`;
  const group = await start({
    command: "/bin/sh",
    args: ["-c", `${run("a")} ${run("b")} wait`],
    until: /(?: ready\.$[^]*){2}/m,
  });
  try {
    expect(nodes(survey(only(group.pid)).workers)).toEqual(["a@world", "b@world"]);
  } finally {
    await end(group);
  }
});

test("survey finds the workers that celery multi has started when they have detached themselves", async () => {
  const names = [`m${process.pid}a@world`, `m${process.pid}b@world`];
  const args = [
    "-A",
    "tasks",
    "multi",
    "start",
    ...names,
    "-l",
    "INFO",
    "-c",
    "1",
    "--pidfile=%n.pid",
    "--logfile=%n.log",
  ];
  // They do not belong to the group. If this test is killed, they end with their broker.
  const ends = JSON.stringify({ broker_connection_retry: false, broker_connection_retry_on_startup: false });
  const isOurs = (found: WorkerProcess) => names.includes(workerNode(found, hostname(), {}));
  const ours = () => survey(procFs).workers.filter(isOurs);
  const group = await start({
    command: "celery",
    args: [...args],
    until: /b@world: \S*OK/,
    env: { TASKS_SETTINGS: ends },
  });
  try {
    await group.ended;
    // The worker itself writes the pid file, when it runs.
    const pidOf = (name: string) => {
      const text = procFs.read(join(group.folder, `${name.replace("@world", "")}.pid`));
      return text.ok ? Number(text.value) : 0;
    };
    await untilTrue(() => names.every((name) => pidOf(name) !== 0) && ours().length === 2);
    const written = names.map(pidOf);
    expect(
      ours()
        .map(({ pid }) => pid)
        .sort(),
    ).toEqual([...written].sort());
    for (const pid of written)
      expect(workerByPid(procFs, pid, "pidfile")).toMatchObject({ pid, foundBy: "pidfile" });
  } finally {
    for (const { pid } of ours()) process.kill(pid, "SIGKILL");
    await untilTrue(() => ours().length === 0);
    await end(group);
  }
});

test("survey leaves a script that calls worker_main to others", async () => {
  const script = "from tasks import app\napp.worker_main(['worker', '-l', 'INFO', '-c', '2'])\n";
  const group = await start({
    command: "python",
    args: ["run_it.py"],
    files: { "run_it.py": script },
    env: { CELERY_WORKER_HOSTNAME: "scripted@%h" },
  });
  try {
    const proc = only(group.pid);
    const possible = candidatesIn(proc, []).filter(({ isPython }) => isPython);
    expect(survey(proc).workers).toEqual([]);
    expect(possible).toMatchObject([{ pid: group.pid, words: "python run_it.py", saysWorker: false }]);
    // Only the `celery` program reads names like CELERY_WORKER_HOSTNAME.
    const node = `celery@${hostname()}`;
    const redis = server.client();
    // It prints "ready." before it listens.
    expect(await answersPing(redis, pidboxChannel(0), node, 10_000)).toBe(true);
    const found = workerByPid(proc, group.pid, "connections");
    expect(found === null ? [] : nodes([found])).toEqual([node]);
  } finally {
    await end(group);
  }
});

test.each<CeleryVersion>(["5.0.5", "5.7.0"])(
  "survey finds no worker when its main was killed and a busy child is left: %s",
  async (celery) => {
    await using busy = await startWorker({ server, celery, concurrency: 2, queues: [`busy-${celery}`] });
    await busy.taskStarted(await busy.submit("shell", 60));
    const proc = only(busy.pid);
    expect(survey(proc).workers.map(({ pid }) => pid)).toEqual([busy.pid]);
    const children = await busy.children();
    busy.kill("SIGKILL");
    await untilTrue(() => !busy.isRunning);
    expect(survey(proc)).toMatchObject({ workers: [] });
    // A child that has just been forked is a candidate until its own program is known.
    await untilTrue(() => candidatesIn(proc, []).every(({ isPython }) => isPython !== true));
    for (const pid of [busy.pid, ...children])
      expect(workerByPid(proc, pid, "connections")?.state ?? "Z").toBe("Z");
  },
);

test("survey finds a zombie when a worker was killed and its parent does not wait for it", async () => {
  const group = await start({
    command: "/bin/sh",
    args: ["-c", `celery ${ARGS.join(" ")} -P solo & exec sleep 60`],
  });
  try {
    const { pid } = worker(group);
    process.kill(pid, "SIGKILL");
    await untilTrue(() => survey(only(group.pid)).zombies.includes(pid));
    expect(survey(only(group.pid)).workers).toEqual([]);
  } finally {
    await end(group);
  }
});

test.each([
  ["beat", ["beat", "-l", "INFO", "-s", "schedule"], /beat: Starting/],
  ["monitor", ["events", "--dump"], /evdump: starting/],
])("survey finds no worker when a %s runs", async (_, args, until) => {
  const group = await start({ command: "celery", args: ["-A", "tasks", ...args], until });
  try {
    const proc = only(group.pid);
    expect(survey(proc)).toMatchObject({ workers: [] });
    expect(candidatesIn(proc, []).filter(({ isPython }) => isPython)).toEqual([]);
  } finally {
    await end(group);
  }
});

/** For changes that the kernel does not report: the end of a foreign child, a new title. @throws Error after 10 s */
async function untilTrue(isSo: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!isSo()) {
    if (performance.now() > deadline) throw new Error(`not within 10 s: ${isSo.toString()}`);
    await wait(10);
  }
}
