import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { startProxy } from "../../world/proxy.ts";
import { cellsWith, NEWEST, SAME_IN_ALL } from "../grid.ts";
import { allRows, isPolling, must, type Row, rowsOf, until } from "../proof.ts";
import type { Ask, Cell, State } from "../state.ts";
import { loseConnection } from "./deaf.ts";

/** kombu up to 5.6.2 waits for ever for the answer to its BRPOP; 5.7.0 connects anew after 26 to 51 s. */
const HEALS: readonly Cell["celery"][] = ["5.7.0", "5.6.3-crossed"];

const MINUTE_MS = 62_000;

const asks = ({ celery }: Cell): readonly Ask[] => [
  { expect: "healthy: alive" },
  {
    args: ["--require-consuming"],
    expect: HEALS.includes(celery) ? "healthy: alive" : "unhealthy: not-consuming",
  },
];

export const FETCH_HALF_OPEN: State = {
  id: "fetch-half-open",
  title: "a firewall forgot the connection it fetches on a minute ago; neither end knows",
  asks,
  truth: ({ celery }) => (HEALS.includes(celery) ? "well" : "sick"),
  where: cellsWith(["prefork", "gevent"], ["5.2.7", "5.6.3", "5.6.3-crossed", NEWEST], SAME_IN_ALL),
  otherVersions: SAME_IN_ALL,
  make: async (world) => {
    const worker = await world.startWorker();
    const lost = await fetchRow(() => rowsOf(world.redis, worker.pid));
    await loseConnection(world, worker, lost);
    const tasks = [await worker.submit("add", 1, 2), await worker.submit("add", 1, 2)];
    await wait(MINUTE_MS);
    const heals = HEALS.includes(world.cell.celery);
    return {
      container: world.container,
      node: worker.node,
      prove: async () => {
        const fetching = (await allRows(world.redis)).filter(({ command }) => command === "brpop");
        const polling = fetching.some(({ flags }) => flags.includes("b"));
        if (heals) {
          for (const id of tasks.slice(1)) await worker.taskSucceeded(id);
          return `has connected anew by itself; ${fetching.length} connections of BRPOP listed`;
        }
        must(!polling, "it does not fetch");
        const queued = await world.queued();
        must(queued > 0, "the queue has work");
        return `does not fetch for ${Math.min(...fetching.map(({ idle }) => idle)) > 55 ? "a minute" : "less"}, work in the queue`;
      },
      ...(heals ? { after: () => world.canary(worker) } : {}),
    };
  },
};

export const FETCH_HALF_OPEN_BESIDE: State = {
  id: "fetch-half-open-beside",
  title: "the same with late acknowledgement, while another worker has a task in hand, not acknowledged",
  asks: [{ expect: "healthy: alive" }, { args: ["--require-consuming"], expect: "unhealthy: not-consuming" }],
  truth: () => "sick",
  where: cellsWith(["prefork"], ["5.2.7", "5.6.3"], SAME_IN_ALL),
  otherVersions: SAME_IN_ALL,
  make: async (world) => {
    const settings = { task_acks_late: true };
    const worker = await world.startWorker({ settings });
    const within = await world.startContainer();
    const other = await world.startWorker({ within, settings, queues: ["other"] });
    await other.taskStarted(await other.submit("nap_until", join(within.folder, "go-on")));
    await loseConnection(world, worker, await fetchRow(() => rowsOf(world.redis, worker.pid)));
    for (let count = 0; count < 2; count++) await worker.submit("add", 1, 2);
    await wait(MINUTE_MS);
    return {
      container: world.container,
      node: worker.node,
      prove: async () => {
        must(!isPolling(await rowsOf(world.redis, worker.pid)), "it does not fetch");
        must((await world.queued()) > 0, "the queue has work");
        must((await world.redis.hlen("unacked")) === 1, "one delivery is not acknowledged");
        return "does not fetch for a minute, work in the queue, one delivery of another worker not acknowledged";
      },
    };
  },
};

export const FETCH_LOST_BY_PROXY: State = {
  id: "fetch-lost-by-proxy",
  title:
    "the same behind a proxy: the broker sees the proxy's address, so which connections are its own is unknown",
  asks: [{ expect: "healthy: alive" }, { args: ["--require-consuming"], expect: "healthy: alive" }],
  where: cellsWith(["prefork"], ["5.6.3"], SAME_IN_ALL),
  otherVersions: SAME_IN_ALL,
  make: async (world) => {
    const proxy = world.keep(await startProxy(world.server.port));
    const worker = await world.startWorker({ brokerUrl: proxy.url() });
    const { port } = await fetchRow(() => allRows(world.redis));
    proxy.swallow(port);
    for (let count = 0; count < 2; count++) await worker.submit("add", 1, 2);
    await wait(MINUTE_MS);
    return {
      container: world.container,
      node: worker.node,
      env: { CELERY_BROKER_URL: proxy.url() },
      brokerUrl: proxy.url(),
      prove: async () => {
        must((await world.queued()) > 0, "the queue has work");
        return "work in the queue, which nobody fetches";
      },
    };
  },
};

/** The connection while it waits for a task, which is nearly always. */
function fetchRow(rows: () => Promise<Row[]>): Promise<Row> {
  return until("it fetches", 5_000, async () =>
    (await rows()).find(({ command, flags }) => command === "brpop" && flags.includes("b")),
  );
}
