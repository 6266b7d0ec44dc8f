import { setTimeout as wait } from "node:timers/promises";
import { freePort, startServer } from "../../world/server.ts";
import { connectionsOf, isAlive } from "../../world/proc.ts";
import type { Worker } from "../../world/worker.ts";
import { cellsWith, NEWEST, NO_POOL, POOLS, SAME_IN_ALL } from "../grid.ts";
import { must, until } from "../proof.ts";
import type { Ask, State } from "../state.ts";
import type { World } from "../world.ts";
import { fill, isFull, polls } from "./answering.ts";

/** With the outage of a broker a fleet must not be restarted. */
const unknown = (expect: Ask["expect"]): readonly Ask[] => [
  { expect },
  { args: ["--on-unknown=healthy"], expect, exit: 0 },
];

export const RESTARTED_IDLE: State = {
  id: "redis-restarted-idle",
  title: "Redis was restarted while it was idle, and it has connected anew",
  asks: [{ expect: "healthy: alive" }],
  where: cellsWith(POOLS, [NEWEST], ""),
  otherVersions: SAME_IN_ALL,
  make: async (world) => {
    const worker = await world.startWorker();
    await restart(world);
    await untilConnectedAnew(world);
    return {
      container: world.container,
      node: worker.node,
      prove: () => polls(world, worker),
      after: () => world.canary(worker),
    };
  },
};

export const RESTARTED_FULL: State = {
  id: "redis-restarted-full",
  title: "Redis was restarted while every task slot was taken",
  asks: [{ expect: "healthy: alive" }],
  where: {
    ...cellsWith(["prefork", "threads"], [NEWEST], SAME_IN_ALL),
    solo: "its one task blocks it",
  },
  otherVersions: SAME_IN_ALL,
  make: async (world) => {
    const worker = await world.startWorker();
    await fill(world, worker);
    await restart(world);
    await untilConnectedAnew(world);
    // The restart took the queue with it.
    for (let count = 0; count < 14; count++) await worker.submit("nap_until", world.signalFile);
    await wait(3_000);
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

export const RESTARTED_BLOCKED: State = {
  id: "redis-restarted-blocked",
  title: "Redis was restarted while a task blocked it, and it has not noticed",
  asks: [{ expect: "healthy: busy" }],
  where: {
    ...cellsWith(["solo", "gevent"], [NEWEST], SAME_IN_ALL),
    solo: ["5.2.7", NEWEST],
    prefork: "no task blocks it",
  },
  otherVersions: SAME_IN_ALL,
  make: async (world) => {
    const worker = await world.startWorker();
    const task = await worker.submit("spin_until", world.signalFile);
    await worker.taskStarted(task);
    await restart(world);
    return {
      container: world.container,
      node: worker.node,
      prove: () => {
        const connections = connectionsOf(worker.pid).filter(
          ({ remotePort }) => remotePort === world.server.port,
        );
        must(connections.length > 0, "it holds sockets to the broker");
        must(!connections.some(({ isEstablished }) => isEstablished), "none of them is established");
        return Promise.resolve(`${connections.length} sockets to the broker, none established`);
      },
      after: async () => {
        await world.goOn();
        await worker.taskSucceeded(task, 45_000);
        if (world.cell.celery === NEWEST) await world.canary(worker);
      },
    };
  },
};

export const REDIS_STOPPED: State = {
  id: "redis-stopped",
  title: "Redis is not there",
  asks: unknown("unknown: broker-unreachable"),
  where: cellsWith(["prefork", "gevent"], [NEWEST], NO_POOL),
  otherVersions: SAME_IN_ALL,
  make: async (world) => {
    const worker = await world.startWorker();
    await world.stopServer();
    return {
      container: world.container,
      node: worker.node,
      prove: () => aliveWithout(worker, "nothing listens on the broker's port"),
      after: async () => {
        await world.startServerAgain();
        await world.canary(worker, 60_000);
      },
    };
  },
};

export const REDIS_PAUSED: State = {
  id: "redis-paused",
  title: "Redis is stopped by SIGSTOP: connections stay open and nothing answers",
  asks: unknown("unknown: broker-unreachable"),
  where: cellsWith(["prefork"], [NEWEST], NO_POOL),
  otherVersions: SAME_IN_ALL,
  make: async (world) => {
    const worker = await world.startWorker();
    world.server.pause();
    return {
      container: world.container,
      node: worker.node,
      prove: () => aliveWithout(worker, "the broker's process is stopped"),
      after: async () => {
        world.server.resume();
        await world.canary(worker);
      },
    };
  },
};

export const WRONG_PASSWORD: State = {
  id: "wrong-password",
  title: "the probe is given a wrong password for the broker",
  asks: unknown("unknown: broker-refused"),
  where: cellsWith(["prefork"], [NEWEST], NO_POOL),
  otherVersions: SAME_IN_ALL,
  make: async (world) => {
    const server = world.keep(await startServer({ password: "right" }));
    const wrong = server.url().replace("right", "wrong");
    const worker = await world.startWorker({ brokerUrl: server.url() });
    return {
      container: world.container,
      node: worker.node,
      env: { CELERY_BROKER_URL: server.url() },
      args: ["--broker", wrong],
      brokerUrl: wrong,
      prove: () => aliveWithout(worker, "the broker has another password"),
      after: () => world.consumes(worker),
    };
  },
};

export const DISCONNECTED: State = {
  id: "disconnected",
  title: "it has had no connection to the broker for a minute, and the broker is well",
  asks: [{ expect: "unhealthy: disconnected" }],
  where: cellsWith(["prefork", "solo"], [NEWEST], SAME_IN_ALL),
  otherVersions: SAME_IN_ALL,
  make: async (world) => {
    const port = await freePort();
    const worker = await world.startWorker({
      server: world.server,
      brokerUrl: `redis://127.0.0.1:${port}/0`,
      until: "started",
    });
    await worker.waitForLog(/Cannot connect to redis/, { timeoutMs: 30_000 });
    await wait(63_000);
    return {
      container: world.container,
      node: worker.node,
      args: ["--broker", world.brokerUrl],
      prove: async () => {
        await world.redis.ping();
        must(connectionsOf(worker.pid).length === 0, "it has no connection");
        return aliveWithout(worker, "it has no connection");
      },
    };
  },
};

async function restart(world: World): Promise<void> {
  await world.stopServer();
  await world.startServerAgain();
}

async function untilConnectedAnew(world: World): Promise<void> {
  await until("it listens again", 30_000, async () => (await world.listeners()) > 0 || undefined);
}

function aliveWithout(worker: Worker, fact: string): Promise<string> {
  must(isAlive(worker.pid), "its process runs");
  return Promise.resolve(`its process runs, ${fact}`);
}
