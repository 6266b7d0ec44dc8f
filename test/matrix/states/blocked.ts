import { connectionsOf } from "../../world/proc.ts";
import type { Worker } from "../../world/worker.ts";
import { cellsWith, NEWEST, SAME_IN_ALL, VERSIONS } from "../grid.ts";
import { heartbeats, must, rowsOf, silence, until } from "../proof.ts";
import type { Ask, Situation, State } from "../state.ts";
import type { World } from "../world.ts";

const BUSY: readonly Ask[] = [{ expect: "healthy: busy" }];

export const BLOCKED_SLEEP: State = {
  id: "blocked-sleep",
  title: "its one task, acknowledged early, sleeps; the queue is empty",
  asks: BUSY,
  where: cellsWith(["solo"], VERSIONS, "a sleeping task does not block it"),
  make: async (world) => {
    const worker = await world.startWorker();
    const task = await worker.submit("nap", world.napS);
    return blocked(world, worker, task, () => Promise.resolve());
  },
};

export const BLOCKED_CHILD: State = {
  id: "blocked-child",
  title: "its one task waits for a program it has started; the queue is empty",
  asks: BUSY,
  where: cellsWith(["solo"], VERSIONS, "a waiting task does not block it"),
  make: async (world) => {
    const worker = await world.startWorker();
    const task = await worker.submit("shell_until", world.signalFile);
    return blocked(world, worker, task, () => world.goOn());
  },
};

export const BLOCKED_CPU: State = {
  id: "blocked-cpu",
  title: "a task computes and yields to nobody; the queue is empty",
  asks: BUSY,
  where: {
    ...cellsWith(["solo", "gevent", "eventlet"], VERSIONS, ""),
    prefork: "a child computes, and its main process answers",
    threads: "Python's threads take turns, and its main thread answers",
  },
  make: async (world) => {
    const worker = await world.startWorker();
    const task = await worker.submit("spin_until", world.signalFile);
    return blocked(world, worker, task, () => world.goOn());
  },
};

export const BLOCKED_C: State = {
  id: "blocked-c",
  title: "a task sleeps in C code that the pool cannot patch; the queue is empty",
  asks: BUSY,
  where: {
    ...cellsWith(["gevent", "eventlet"], [NEWEST], ""),
    prefork: "a child sleeps, and its main process answers",
    threads: "C code that waits lets other threads run",
    solo: "as its sleeping task",
  },
  otherVersions: SAME_IN_ALL,
  make: async (world) => {
    const worker = await world.startWorker();
    const task = await worker.submit("sleep_in_c", world.napS);
    return blocked(world, worker, task, () => Promise.resolve());
  },
};

export const BLOCKED_GIL: State = {
  id: "blocked-gil",
  title: "a task is in C code that holds Python's lock; the queue is empty",
  asks: BUSY,
  where: {
    ...cellsWith(["threads"], VERSIONS, "as any task that does not yield"),
    prefork: "a child holds its own lock, and its main process answers",
  },
  make: async (world) => {
    const worker = await world.startWorker();
    const task = await worker.submit("hold_gil", world.napS);
    return blocked(world, worker, task, () => Promise.resolve());
  },
};

export const BLOCKED_REGEX: State = {
  id: "blocked-regex",
  title: "a regular expression of a task has gone astray, under Python's lock",
  asks: BUSY,
  where: {
    ...cellsWith(["threads", "solo", "gevent"], [NEWEST], "as gevent"),
    prefork: "a child holds its own lock, and its main process answers",
  },
  otherVersions: SAME_IN_ALL,
  make: async (world) => {
    const worker = await world.startWorker();
    const task = await worker.submit("backtrack", 40);
    // It would take hours: nothing comes after.
    const { after: _after, ...situation } = await blocked(world, worker, task, () => Promise.resolve());
    return situation;
  },
};

export const BLOCKED_WRITING: State = {
  id: "blocked-writing",
  title: "its one task writes to the broker's database all the time",
  asks: BUSY,
  where: cellsWith(["solo"], [NEWEST, "5.2.7"], "such a task does not block it"),
  otherVersions: SAME_IN_ALL,
  make: async (world) => {
    const worker = await world.startWorker();
    const task = await worker.submit("scribble", world.napS);
    await worker.taskStarted(task);
    await untilSilent(world, worker, 2, "brpop");
    return {
      container: world.container,
      node: worker.node,
      prove: async () => {
        // Five times a second, and Redis counts whole seconds.
        must(silence(await rowsOf(world.redis, worker.pid)) <= 1, "it writes");
        must((await heartbeats(world.redis, worker.node, 2_500)).length === 0, "its main loop is silent");
        return "one of its connections is busy, the main loop sends no heartbeats";
      },
      after: async () => {
        await worker.taskSucceeded(task);
        await world.canary(worker);
      },
    };
  },
};

export const HUNG: State = {
  id: "hung",
  title: "a task has blocked it for longer than it may",
  asks: [
    { args: ["--busy-grace=1h"], expect: "healthy: busy" },
    { args: ["--busy-grace=5s"], expect: "unhealthy: hung" },
    { args: ["--busy-grace=1h", "--strict"], expect: "unhealthy: busy" },
  ],
  where: {
    ...cellsWith(["solo", "gevent", "eventlet"], ["5.2.7", NEWEST], ""),
    threads: [NEWEST],
    prefork: "its main process runs no tasks: stopped is what it can be",
  },
  otherVersions: SAME_IN_ALL,
  make: async (world) => {
    const worker = await world.startWorker();
    const isThreads = world.cell.pool === "threads";
    const task = isThreads
      ? await worker.submit("hold_gil", 40)
      : await worker.submit("spin_until", world.signalFile);
    const situation = await blocked(world, worker, task, () => world.goOn());
    await untilSilent(world, worker, 6);
    return situation;
  },
};

export const BLOCKED_POPPING: State = {
  id: "blocked-popping",
  title: "its one task waits by a BRPOP of its own, on the server of the broker",
  asks: [{ expect: "healthy: busy" }, { args: ["--busy-grace=5s"], expect: "unhealthy: hung" }],
  where: cellsWith(["solo"], ["5.2.7", NEWEST], "such a task does not block it"),
  otherVersions: SAME_IN_ALL,
  make: async (world) => {
    const worker = await world.startWorker();
    const task = await worker.submit("pop", "jobs");
    await worker.taskStarted(task);
    await untilSilent(world, worker, 6);
    return {
      container: world.container,
      node: worker.node,
      prove: async () => {
        const rows = await rowsOf(world.redis, worker.pid);
        must(
          rows.some(({ command, flags }) => command === "brpop" && flags === "b"),
          "a BRPOP waits",
        );
        must(silence(rows) >= 6, "it has been silent for 6 s");
        return "the BRPOP of its task waits at the broker, all else is silent";
      },
      after: async () => {
        await world.redis.lpush("jobs", "one");
        await worker.taskSucceeded(task);
        await world.canary(worker);
      },
    };
  },
};

export const HUNG_AND_CUT: State = {
  id: "hung-and-cut",
  title: "the same, and the broker has closed one of its connections, which it does not notice",
  asks: [
    { args: ["--busy-grace=1h"], expect: "healthy: busy" },
    { args: ["--busy-grace=5s"], expect: "unhealthy: hung" },
  ],
  where: { ...cellsWith(["solo", "gevent"], ["5.2.7", NEWEST], "as gevent"), prefork: "as hung" },
  otherVersions: SAME_IN_ALL,
  make: async (world) => {
    const worker = await world.startWorker();
    const task = await worker.submit("spin_until", world.signalFile);
    const situation = await blocked(world, worker, task, () => world.goOn());
    const [unused] = (await rowsOf(world.redis, worker.pid)).filter(({ command }) => command === "ping");
    await world.redis.client("KILL", "ADDR", `127.0.0.1:${unused?.port}`);
    await untilSilent(world, worker, 6);
    return {
      ...situation,
      prove: async () => {
        must(
          connectionsOf(worker.pid).some(({ isCloseWait }) => isCloseWait),
          "a connection is in CLOSE_WAIT",
        );
        return `${await situation.prove()}; one connection in CLOSE_WAIT`;
      },
    };
  },
};

/** Awaits that the task runs and that nothing has come from the worker for 2 s. */
async function blocked(
  world: World,
  worker: Worker,
  task: string,
  release: () => Promise<void>,
): Promise<Situation> {
  await worker.taskStarted(task);
  await untilSilent(world, worker, 2);
  return {
    container: world.container,
    node: worker.node,
    prove: async () => {
      const rows = await rowsOf(world.redis, worker.pid);
      must(silence(rows) >= 2, "it has been silent for 2 s");
      must((await world.queued()) === 0, "the queue is empty");
      must((await world.listeners()) > 0, "its subscription is there");
      return `${rows.length} connections, all silent; nothing in the queue`;
    },
    after: async () => {
      await release();
      await worker.taskSucceeded(task, 45_000);
      await world.canary(worker);
    },
  };
}

async function untilSilent(world: World, worker: Worker, seconds: number, command?: string): Promise<void> {
  await until(`${worker.node} is silent for ${seconds} s`, 30_000, async () => {
    const rows = await rowsOf(world.redis, worker.pid);
    const considered = command === undefined ? rows : rows.filter((row) => row.command === command);
    // The broker's answer to the last BRPOP, a second after it, makes that connection young once more.
    const isAnswered = rows.some(({ command, flags }) => command === "brpop" && !flags.includes("b"));
    return (isAnswered && considered.length > 0 && silence(considered) >= seconds) || undefined;
  });
}
