import { execa } from "execa";
import { setTimeout as wait } from "node:timers/promises";
import { join } from "node:path";
import { findPython } from "../../world/python.ts";
import { startProxy } from "../../world/proxy.ts";
import type { Worker } from "../../world/worker.ts";
import { cellsWith, NEWEST, POOLS, SAME_IN_ALL } from "../grid.ts";
import { allRows, heartbeats, isPolling, must, type Row, rowsOf, silence, until } from "../proof.ts";
import type { Ask, Situation, State } from "../state.ts";
import type { World } from "../world.ts";
import { fill, isFull } from "./answering.ts";
import { UNTOLD } from "./catatonic.ts";

const DEAF: readonly Ask[] = [{ expect: "healthy: deaf" }, { args: ["--strict"], expect: "unhealthy: deaf" }];

export const REMOTE_CONTROL_OFF: State = {
  id: "remote-control-off",
  title: "`worker_enable_remote_control` is false",
  asks: DEAF,
  where: { ...cellsWith(POOLS, [NEWEST], ""), prefork: ["5.2.7", NEWEST] },
  otherVersions: SAME_IN_ALL,
  make: async (world) => {
    const worker = await world.startWorker({
      settings: { worker_enable_remote_control: false },
      until: "ready",
    });
    return atWork(world, worker, 0);
  },
};

export const REMOTE_CONTROL_OFF_FULL: State = {
  id: "remote-control-off-full",
  title: "`worker_enable_remote_control` is false, and every task slot is taken",
  asks: DEAF,
  where: cellsWith(["prefork", "threads"], [NEWEST], SAME_IN_ALL),
  otherVersions: SAME_IN_ALL,
  make: (world) => fullAndDeaf(world, []),
};

/** Without any subscription it looks nearly like one that does not read from the broker any more. */
export const REMOTE_CONTROL_AND_GOSSIP_OFF_FULL: State = {
  id: "remote-control-and-gossip-off-full",
  title: "`worker_enable_remote_control` is false, `--without-gossip`, and every task slot is taken",
  asks: DEAF,
  where: cellsWith(["prefork"], ["5.2.7", NEWEST], SAME_IN_ALL),
  otherVersions: SAME_IN_ALL,
  make: (world) => fullAndDeaf(world, ["--without-gossip"]),
};

export const UNTOLD_FULL: State = {
  id: "untold-full",
  title: "it is full for longer than it may be silent, without remote control, heartbeats and gossip",
  asks: [{ expect: "healthy: busy" }, { args: ["--busy-grace=5s"], expect: "healthy: deaf", times: 5 }],
  where: cellsWith(["prefork"], ["5.2.7", NEWEST], "see hung in docs/reasons.md"),
  otherVersions: SAME_IN_ALL,
  make: (world) => fullAndDeaf(world, UNTOLD, 6),
};

/** It fetches; so many connections listen for control messages, as far as the broker knows. */
function atWork(world: World, worker: Worker, listeners: number): Situation {
  return {
    container: world.container,
    node: worker.node,
    prove: async () => {
      must((await world.listeners()) === listeners, `${listeners} listen, as far as the broker knows`);
      return fetches(world, worker);
    },
    after: () => world.consumes(worker),
  };
}

async function fullAndDeaf(world: World, args: readonly string[], silentForS = 0): Promise<Situation> {
  const worker = await world.startWorker({
    settings: { worker_enable_remote_control: false },
    args,
    until: "ready",
  });
  await fill(world, worker);
  const isSilent = async () => silence(await rowsOf(world.redis, worker.pid)) >= silentForS;
  await until("it is silent", 20_000, async () => (await isSilent()) || undefined);
  return {
    container: world.container,
    node: worker.node,
    prove: async () => {
      must((await world.listeners()) === 0, "nobody listens");
      return isFull(world, worker);
    },
    after: async () => {
      await world.goOn();
      await world.consumes(worker);
    },
  };
}

export const JSON_REFUSED: State = {
  id: "json-refused",
  title: "`accept_content` is pickle only, so it does not read the probe's JSON",
  asks: DEAF,
  where: {
    ...cellsWith(["prefork", "solo", "gevent"], [NEWEST], SAME_IN_ALL),
    prefork: ["5.2.7", NEWEST],
  },
  otherVersions: SAME_IN_ALL,
  make: async (world) => {
    const worker = await world.startWorker({
      settings: { accept_content: ["pickle"], task_serializer: "pickle" },
      // Celery refuses to run as root with pickle.
      env: { C_FORCE_ROOT: "1" },
      until: "listens",
    });
    return {
      container: world.container,
      node: worker.node,
      prove: async () => {
        must((await world.listeners()) === 1, "it listens");
        return fetches(world, worker);
      },
      after: async () => {
        await fetches(world, worker);
      },
    };
  },
};

export const CONTROL_CONNECTION_CLOSED: State = {
  id: "control-connection-closed",
  title: "its control connection was closed, and it does not open another",
  asks: DEAF,
  where: {
    ...cellsWith(["gevent", "eventlet"], ["5.2.7", "5.6.3", NEWEST], ""),
    prefork: "it connects anew",
    solo: "it connects anew",
    threads: "it connects anew",
  },
  otherVersions: SAME_IN_ALL,
  make: async (world) => {
    const worker = await world.startWorker();
    const { port } = await controlRow(world, worker);
    await world.redis.client("KILL", "ADDR", `127.0.0.1:${port}`);
    await wait(3_000);
    return atWork(world, worker, 0);
  },
};

export const CONTROL_CONNECTION_HALF_OPEN: State = {
  id: "control-connection-half-open",
  title: "a firewall has forgotten its control connection; neither end knows",
  asks: DEAF,
  where: {
    ...cellsWith(["gevent", "eventlet"], ["5.6.3", NEWEST], ""),
    prefork: ["5.2.7", "5.6.3", NEWEST],
    solo: ["5.6.3"],
    threads: ["5.6.3"],
  },
  otherVersions: SAME_IN_ALL,
  make: async (world) => {
    const worker = await world.startWorker();
    await loseConnection(world, worker, await controlRow(world, worker));
    return atWork(world, worker, 1);
  },
};

export const CONTROL_CONNECTION_LOST_BY_PROXY: State = {
  id: "control-connection-lost-by-proxy",
  title: "the same behind a proxy, so that the broker sees the proxy's address",
  asks: DEAF,
  where: cellsWith(["prefork", "gevent"], ["5.6.3"], SAME_IN_ALL),
  otherVersions: SAME_IN_ALL,
  make: async (world) => {
    const proxy = world.keep(await startProxy(world.server.port));
    const worker = await world.startWorker({ brokerUrl: proxy.url() });
    const { port } = await until("its control connection", 15_000, async () =>
      quietSubscription(await allRows(world.redis)),
    );
    proxy.swallow(port);
    return {
      container: world.container,
      node: worker.node,
      env: { CELERY_BROKER_URL: proxy.url() },
      brokerUrl: proxy.url(),
      prove: async () => {
        must((await world.listeners()) === 1, "the broker believes that it listens");
        await until("it fetches", 3_000, async () => isPolling(await allRows(world.redis)) || undefined);
        must((await heartbeats(world.redis, worker.node, 6_000)).length > 0, "heartbeats are heard");
        return "its BRPOP waits at the broker, heartbeats are heard, one subscription is lost";
      },
      after: () => world.consumes(worker),
    };
  },
};

/** Each of the two ends gets nothing from the other any more, and nobody is told. */
export async function loseConnection(world: World, worker: Worker, { port }: Row): Promise<void> {
  const python = await findPython();
  const script = join(import.meta.dirname, "../../world/blackhole.py");
  const { port: serverPort, pid: serverPid } = world.server;
  const ends = [worker.pid, port, serverPort, serverPid, serverPort, port];
  await execa(python.path, [script, ...ends.map(String)]);
}

async function fetches(world: World, worker: Worker): Promise<string> {
  await until("it fetches", 3_000, async () => isPolling(await rowsOf(world.redis, worker.pid)) || undefined);
  must((await heartbeats(world.redis, worker.node, 6_000)).length > 0, "heartbeats are heard");
  return "its BRPOP waits at the broker, heartbeats are heard";
}

/** Of its two subscriptions the one that is not written to every two seconds, as gossip's is. */
async function controlRow(world: World, worker: Worker): Promise<Row> {
  return until("its control connection", 15_000, async () =>
    quietSubscription(await rowsOf(world.redis, worker.pid)),
  );
}

function quietSubscription(rows: readonly Row[]): Row | undefined {
  const subscriptions = rows.filter(({ subscribed }) => subscribed > 0);
  const quiet = subscriptions.filter(({ idle }) => idle >= 4);
  return subscriptions.length === 2 && quiet.length === 1 ? quiet[0] : undefined;
}
