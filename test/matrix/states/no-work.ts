import { setTimeout as wait } from "node:timers/promises";
import { join } from "node:path";
import type { WorkerOptions } from "../../world/worker-command.ts";
import type { Worker } from "../../world/worker.ts";
import { cellsWith, NEWEST, SAME_IN_ALL } from "../grid.ts";
import { isPolling, must, rowsOf, silence, until } from "../proof.ts";
import type { Ask, Situation, State } from "../state.ts";
import type { World } from "../world.ts";

/** For so long it must have fetched nothing before it is said. */
const MINUTE_MS = 62_000;

const NOT_CONSUMING: readonly Ask[] = [
  { expect: "healthy: alive" },
  { args: ["--require-consuming"], expect: "unhealthy: not-consuming" },
];
const ALIVE: readonly Ask[] = [{ args: ["--require-consuming"], expect: "healthy: alive" }];

export const CHILDREN_DIE: State = {
  id: "children-die",
  title:
    "the children of its pool die as they start, again and again; it holds all the tasks it may, more wait",
  asks: NOT_CONSUMING,
  truth: () => "sick",
  where: cellsWith(["prefork"], ["5.2.7", NEWEST], "it has no children"),
  otherVersions: SAME_IN_ALL,
  make: (world) => withoutWork(world, { env: { TASKS_CHILDREN: "die" } }),
};

export const CHILDREN_HANG: State = {
  id: "children-hang",
  title: "the children of its pool hang as they start; it holds all the tasks it may, more wait",
  asks: NOT_CONSUMING,
  truth: () => "sick",
  where: cellsWith(["prefork"], ["5.2.7", NEWEST], "it has no children"),
  otherVersions: SAME_IN_ALL,
  make: (world) => withoutWork(world, { env: { TASKS_CHILDREN: "hang" } }),
};

export const UNPATCHED: State = {
  id: "unpatched",
  title: "a script has started it without patching Python, so that no task of its pool ever runs; more wait",
  asks: NOT_CONSUMING,
  truth: () => "sick",
  where: cellsWith(["gevent"], [NEWEST], "its tasks run in threads or processes, or it is rare"),
  otherVersions: SAME_IN_ALL,
  make: (world) =>
    withoutWork(world, {
      script: join(import.meta.dirname, "../../world/unpatched.py"),
      // Its remote control runs as soon as the pool is full, and then nothing else does.
      until: "ready",
    }),
};

/** Rate-limited tasks look the same, and are no fault. */
export const RATE_LIMITED_ELSEWHERE: State = {
  id: "rate-limited-own-key",
  title: "it has held tasks of a rate limit for a minute, unacknowledged under a key of its own; more wait",
  asks: ALIVE,
  where: cellsWith(["prefork"], ["5.2.7", NEWEST], SAME_IN_ALL),
  otherVersions: SAME_IN_ALL,
  make: (world) =>
    held(world, { settings: { broker_transport_options: { unacked_key: "in-hand" } } }, "in-hand"),
};

export const RATE_LIMITED_FOR_LONG: State = {
  id: "rate-limited-for-long",
  title: "it has held tasks of a rate limit for a minute; more wait",
  asks: ALIVE,
  where: cellsWith(["prefork", "threads"], ["5.2.7", NEWEST], SAME_IN_ALL),
  otherVersions: SAME_IN_ALL,
  make: (world) => held(world, {}, "unacked"),
};

/** Its tasks are delivered and none of them is begun. */
async function withoutWork(world: World, options: Partial<WorkerOptions>): Promise<Situation> {
  const worker = await world.startWorker(options);
  for (let count = 0; count < 14; count++) await worker.submit("add", 1, 2);
  await untilPaused(world, worker);
  await wait(MINUTE_MS);
  return {
    container: world.container,
    node: worker.node,
    prove: async () => {
      must(!worker.log().includes("began "), "no task has begun");
      return paused(world, worker, "unacked");
    },
  };
}

async function held(world: World, options: Partial<WorkerOptions>, key: string): Promise<Situation> {
  const worker = await world.startWorker(options);
  for (let count = 0; count < 30; count++) await worker.submit("limited");
  await worker.waitForLog(/began /);
  await untilPaused(world, worker);
  await wait(MINUTE_MS);
  return { container: world.container, node: worker.node, prove: () => paused(world, worker, key) };
}

async function untilPaused(world: World, worker: Worker): Promise<void> {
  await until("it does not fetch", 20_000, async () => {
    const fetching = (await rowsOf(world.redis, worker.pid)).filter(({ command }) => command === "brpop");
    return (fetching.length > 0 && !isPolling(fetching) && silence(fetching) >= 2) || undefined;
  });
}

async function paused(world: World, worker: Worker, key: string): Promise<string> {
  must(!isPolling(await rowsOf(world.redis, worker.pid)), "it does not fetch");
  const [queued, delivered] = [await world.queued(), await world.redis.hlen(key)];
  must(queued > 0, "the queue has work");
  must(delivered > 0, "deliveries are unacknowledged");
  return `does not fetch, ${queued} tasks in the queue, ${delivered} delivered and not acknowledged`;
}
