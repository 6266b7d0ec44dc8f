import type { Container } from "../../world/container.ts";
import type { CeleryVersion } from "../../world/pairs.ts";
import { setTimeout as wait } from "node:timers/promises";
import { childrenOf, commandOf, isAlive, processStat } from "../../world/proc.ts";
import type { Worker } from "../../world/worker.ts";
import type { WorkerPlace } from "../../world/worker-command.ts";
import { cellsWith, NEWEST, NO_POOL, POOLS, SAME_IN_ALL } from "../grid.ts";
import { must, until } from "../proof.ts";
import type { Ask, State } from "../state.ts";

const DEAD: Ask = { expect: "unhealthy: dead", withinMs: 3_000 };

export const KILLED: State = {
  id: "killed",
  title: "SIGKILL has ended it, with all its processes",
  asks: [DEAD],
  where: { ...cellsWith(POOLS, [NEWEST], ""), prefork: ["5.0.5", NEWEST] },
  otherVersions: SAME_IN_ALL,
  make: async (world) => {
    const worker = await world.startWorker();
    await worker.killAll();
    await untilGone(worker);
    await until("the broker has noticed", 5_000, async () => (await world.listeners()) === 0 || undefined);
    return {
      container: world.container,
      node: worker.node,
      prove: () => gone(worker.pid),
    };
  },
};

/**
 * In Celery 5.2.7 and later the kernel ends a pool child when its main process is gone (celery/concurrency/prefork.py,
 * process_initializer: PR_SET_PDEATHSIG);
 * in 5.0.5 a child goes on with its task and keeps the sockets of the main.
 */
const CHILDREN_STAY: readonly CeleryVersion[] = ["5.0.5"];

export const MAIN_KILLED: State = {
  id: "main-killed",
  title: "SIGKILL has ended its main process alone, while pool children ran tasks (Celery 5.0: and still do)",
  asks: [DEAD],
  where: cellsWith(["prefork"], [...CHILDREN_STAY, "5.2.7", NEWEST], "it has no pool processes"),
  otherVersions: SAME_IN_ALL,
  make: async (world) => {
    const worker = await world.startWorker();
    const tasks = [await worker.submit("nap", 60), await worker.submit("nap", 60)];
    await Promise.all(tasks.map((id) => worker.taskStarted(id)));
    const children = await worker.children();
    worker.kill("SIGKILL");
    await untilGone(worker);
    const stay = CHILDREN_STAY.includes(world.cell.celery);
    await until("the children stay or go", 5_000, () => children.some(isAlive) === stay || undefined);
    return {
      container: world.container,
      node: worker.node,
      prove: async () => {
        await gone(worker.pid);
        const left = children.filter(isAlive).length;
        must(left > 0 === stay, stay ? "pool children are left" : "no pool child is left");
        const listeners = await world.listeners();
        return `process gone, ${left} pool children left, ${listeners} connections still subscribed`;
      },
    };
  },
};

export const MAIN_KILLED_PROGRAM_LEFT: State = {
  id: "main-killed-program-left",
  title: "SIGKILL has ended it; a program that its task had started goes on",
  asks: [DEAD],
  where: cellsWith(["prefork", "solo", "threads", "gevent"], [NEWEST], SAME_IN_ALL),
  otherVersions: SAME_IN_ALL,
  make: async (world) => {
    const worker = await world.startWorker();
    await worker.taskStarted(await worker.submit("shell_until", world.signalFile));
    const program = await until("the task's program runs", 5_000, () =>
      [worker.pid, ...childrenOf(worker.pid)]
        .flatMap(childrenOf)
        .find((pid) => commandOf(pid)[0] === "/bin/sh"),
    );
    worker.kill("SIGKILL");
    await untilGone(worker);
    return {
      container: world.container,
      node: worker.node,
      prove: async () => {
        await gone(worker.pid);
        must(isAlive(program), "the task's program is left");
        return "process gone, the program of its task left";
      },
    };
  },
};

export const ENDING: State = {
  id: "ending",
  title: "SIGTERM has told it to end, and it finishes its task first",
  asks: ({ pool }) =>
    // An eventlet worker answers until its tasks have ended.
    pool === "eventlet"
      ? [{ expect: "healthy: alive", or: "healthy: deaf" }]
      : [{ expect: "healthy: busy", or: "healthy: deaf" }],
  where: {
    ...cellsWith(POOLS, [NEWEST], ""),
    prefork: ["5.2.7", "5.6.3", NEWEST],
    gevent: ["5.6.3", NEWEST],
  },
  otherVersions: "the same in all as far as they wait for their tasks; gevent on 5.2.7 does not always",
  make: async (world) => {
    const worker = await world.startWorker();
    const task = await worker.submit("nap", world.napS);
    await worker.taskStarted(task);
    worker.kill("SIGTERM");
    await worker.waitForLog(/Warm shutdown/);
    await wait(4_000);
    return {
      container: world.container,
      node: worker.node,
      prove: () => {
        must(isAlive(worker.pid), "its process runs");
        must(!worker.log().includes(`${task}] succeeded`), "its task runs");
        return Promise.resolve("its process and its task run");
      },
      after: () => worker.taskSucceeded(task).then(() => untilGone(worker, 20_000)),
    };
  },
};

export const ZOMBIE: State = {
  id: "zombie",
  title: "it has ended, and its parent does not take note",
  asks: [DEAD],
  where: cellsWith(["prefork", "solo"], [NEWEST], SAME_IN_ALL),
  otherVersions: SAME_IN_ALL,
  make: async (world) => {
    const parent = await world.startWorker({ within: withoutReaping(world.container) });
    const [main] = await parent.children();
    if (main === undefined) throw new Error("the worker is no child of the shell");
    process.kill(main, "SIGKILL");
    await until("it is a zombie", 5_000, () => processStat(main)?.state === "Z" || undefined);
    return {
      container: world.container,
      node: parent.node,
      prove: () => {
        must(processStat(main)?.state === "Z", "its process state is Z");
        return Promise.resolve("process state Z");
      },
    };
  },
};

export const NEVER_STARTED: State = {
  id: "never-started",
  title: "no worker was ever started in the container",
  asks: [DEAD],
  where: cellsWith(["prefork"], [NEWEST], NO_POOL),
  otherVersions: SAME_IN_ALL,
  make: (world) =>
    Promise.resolve({
      container: world.container,
      node: `celery@${world.container.hostname}`,
      prove: async () => {
        must((await world.listeners()) === 0, "nobody listens");
        return "process 1 is all there is, nobody listens at the broker";
      },
    }),
};

export const ONE_OF_TWO_DEAD: State = {
  id: "one-of-two-dead",
  title: "two workers in one container, both asked about, one of them dead",
  asks: [DEAD],
  where: cellsWith(["prefork", "gevent"], [NEWEST], NO_POOL),
  otherVersions: SAME_IN_ALL,
  make: async (world) => {
    const [dead, well] = [
      await world.startWorker({ name: "one@%h" }),
      await world.startWorker({ name: "two@%h", queues: ["second"] }),
    ];
    await dead.killAll();
    await untilGone(dead);
    await until("the broker has noticed", 5_000, async () => (await world.listeners()) === 1 || undefined);
    return {
      container: world.container,
      node: dead.node,
      args: ["--node", "one@%h,two@%h"],
      says: new RegExp(dead.node),
      prove: async () => {
        must(isAlive(well.pid), "the other one runs");
        return gone(dead.pid);
      },
      after: () => world.canary(well),
    };
  },
};

export const DEAD_BESIDE_A_LIVING_ONE: State = {
  id: "dead-beside-a-living-one",
  title: "it is dead, and a worker of another container on the same broker answers",
  asks: [DEAD],
  where: cellsWith(["prefork", "gevent"], [NEWEST], NO_POOL),
  otherVersions: SAME_IN_ALL,
  make: async (world) => {
    const other = await world.startContainer();
    const living = await world.startWorker({ within: other });
    const dead = await world.startWorker();
    await dead.killAll();
    await untilGone(dead);
    await until("the broker has noticed", 5_000, async () => (await world.listeners()) === 1 || undefined);
    return {
      container: world.container,
      node: dead.node,
      prove: async () => {
        must((await world.listeners()) === 1, "one worker listens");
        return gone(dead.pid);
      },
      after: () => world.canary(living),
    };
  },
};

/** Killed, and its parent has taken note. */
async function untilGone(worker: Worker, withinMs = 5_000): Promise<void> {
  await until("its process is gone", withinMs, () => processStat(worker.pid) === undefined || undefined);
}

function gone(pid: number): Promise<string> {
  must(processStat(pid) === undefined, "its process is gone");
  return Promise.resolve("process gone");
}

/** The shell becomes `sleep`, which never waits for the child it did not start itself. */
function withoutReaping(container: Container): WorkerPlace {
  const script = '"$@" & exec sleep 10000';
  return {
    hostname: container.hostname,
    start: ({ command, args, ...rest }) =>
      container.start({
        ...rest,
        command: "/bin/sh",
        args: (folder) => ["-c", script, "sh", command, ...args(folder)],
      }),
  };
}
