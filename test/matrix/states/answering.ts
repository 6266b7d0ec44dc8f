import { setTimeout as wait } from "node:timers/promises";
import { celeryControl } from "../../world/control-command.ts";
import type { Worker } from "../../world/worker.ts";
import { cellsWith, NEWEST, NO_POOL, POOLS, SAME_IN_ALL, VERSIONS } from "../grid.ts";
import { isPolling, must, rowsOf, until } from "../proof.ts";
import type { State } from "../state.ts";
import { QUEUE, type World } from "../world.ts";

export const IDLE: State = {
  id: "idle",
  title: "it waits for tasks",
  asks: [{ expect: "healthy: alive", withinMs: 2_000 }],
  where: cellsWith(POOLS, VERSIONS, ""),
  make: async (world) => {
    const worker = await world.startWorker();
    return {
      container: world.container,
      node: worker.node,
      prove: () => polls(world, worker),
      after: () => world.canary(worker),
    };
  },
};

export const FULL: State = {
  id: "full",
  title: "every task slot is taken and more tasks wait",
  asks: [{ expect: "healthy: alive", withinMs: 2_000 }],
  where: {
    ...cellsWith(["prefork", "threads", "gevent", "eventlet"], VERSIONS, ""),
    solo: "its one task blocks it: see the blocked states",
  },
  make: async (world) => {
    const worker = await world.startWorker();
    await fill(world, worker);
    return {
      container: world.container,
      node: worker.node,
      prove: () => isFull(world, worker),
      after: async () => {
        await world.goOn();
        await world.canary(worker);
      },
    };
  },
};

export const BACKLOG: State = {
  id: "backlog",
  title: "its queue is longer than it may be",
  asks: [
    { expect: "healthy: alive" },
    { args: ["--max-queue-length=1000"], expect: "healthy: alive" },
    { args: ["--max-queue-length=2"], expect: "unhealthy: backlog" },
    { args: ["--max-queue-length=celery=2"], expect: "unhealthy: backlog" },
  ],
  where: cellsWith(["prefork"], [NEWEST], NO_POOL),
  otherVersions: SAME_IN_ALL,
  make: FULL.make,
};

export const STUCK_TASK: State = {
  id: "stuck-task",
  title: "a task has been running for 4 s",
  asks: [
    { expect: "healthy: alive" },
    { args: ["--max-task-age=1h"], expect: "healthy: alive" },
    { args: ["--max-task-age=3s"], expect: "unhealthy: stuck-task" },
  ],
  where: {
    ...cellsWith(["prefork", "threads", "gevent"], ["5.2.7", NEWEST], SAME_IN_ALL),
    solo: "while its task runs it cannot say so: see the blocked states",
  },
  otherVersions: SAME_IN_ALL,
  make: async (world) => {
    const worker = await world.startWorker();
    await worker.taskStarted(await worker.submit("nap_until", world.signalFile));
    await wait(4_000);
    return {
      container: world.container,
      node: worker.node,
      prove: () => polls(world, worker),
      after: async () => {
        await world.goOn();
        await world.canary(worker);
      },
    };
  },
};

export const RATE_LIMITED: State = {
  id: "rate-limited",
  title: "it holds back tasks of a rate limit, with more in the queue",
  asks: [{ expect: "healthy: alive" }, { args: ["--require-consuming"], expect: "healthy: alive" }],
  where: cellsWith(["prefork", "gevent"], [NEWEST], SAME_IN_ALL),
  otherVersions: SAME_IN_ALL,
  make: async (world) => {
    const worker = await world.startWorker();
    for (let count = 0; count < 30; count++) await worker.submit("limited");
    await worker.waitForLog(/began /);
    await wait(3_000);
    return {
      container: world.container,
      node: worker.node,
      prove: async () => {
        must(!isPolling(await rowsOf(world.redis, worker.pid)), "it does not fetch");
        const [queued, inHand] = [await world.queued(), await world.redis.hlen("unacked")];
        must(queued > 0, "the queue has work");
        return `does not fetch, ${queued} tasks in the queue, ${inHand} in hand and not acknowledged`;
      },
    };
  },
};

export const CANCELLED_QUEUE: State = {
  id: "cancelled-queue",
  title: "somebody has told it to stop fetching from its queue",
  asks: [{ expect: "healthy: alive" }, { args: ["--require-consuming"], expect: "unhealthy: not-consuming" }],
  truth: () => "sick",
  where: cellsWith(["prefork", "solo", "gevent"], ["5.2.7", NEWEST], SAME_IN_ALL),
  otherVersions: SAME_IN_ALL,
  make: async (world) => {
    const worker = await world.startWorker();
    await celeryControl(await world.venv(), world.brokerUrl, worker.node, "cancel_consumer", QUEUE);
    // The BRPOP under way still takes one.
    await until("it has stopped fetching", 10_000, async () => {
      const fetching = (await rowsOf(world.redis, worker.pid)).filter(({ command }) => command === "brpop");
      return fetching.every(({ flags, idle }) => !flags.includes("b") && idle >= 2) || undefined;
    });
    const waiting = await worker.submit("add", 1, 2);
    return {
      container: world.container,
      node: worker.node,
      prove: async () => {
        must(!isPolling(await rowsOf(world.redis, worker.pid)), "it does not fetch");
        must((await world.queued()) === 1, "the queue keeps its task");
        return "does not fetch, a task waits in the queue";
      },
      after: async () => {
        await celeryControl(await world.venv(), world.brokerUrl, worker.node, "add_consumer", QUEUE);
        await worker.taskSucceeded(waiting);
        await world.canary(worker);
      },
    };
  },
};

/** Puts more tasks in front of a worker than it takes, and awaits that it has stopped fetching. */
export async function fill(world: World, worker: Worker): Promise<void> {
  const tasks: string[] = [];
  for (let count = 0; count < 14; count++) tasks.push(await worker.submit("nap_until", world.signalFile));
  await Promise.race(tasks.map((id) => worker.taskStarted(id)));
  await until("the worker is full", 10_000, async () => {
    const polling = (await rowsOf(world.redis, worker.pid)).find(({ command }) => command === "brpop");
    return (polling !== undefined && !polling.flags.includes("b") && polling.idle >= 2) || undefined;
  });
}

export async function isFull(world: World, worker: Worker): Promise<string> {
  must(!isPolling(await rowsOf(world.redis, worker.pid)), "it does not fetch");
  const queued = await world.queued();
  must(queued > 2, "more than two tasks wait in the queue");
  return `does not fetch, ${queued} tasks in the queue`;
}

/** Between two waits it is a message away from the next, for milliseconds. */
export async function polls(world: World, worker: Worker): Promise<string> {
  await until("it fetches", 3_000, async () => isPolling(await rowsOf(world.redis, worker.pid)) || undefined);
  must((await world.listeners()) > 0, "somebody listens for control messages");
  return "its BRPOP waits at the broker";
}
