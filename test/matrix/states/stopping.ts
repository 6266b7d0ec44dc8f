import { setTimeout as wait } from "node:timers/promises";
import { NEWEST, SAME_IN_ALL } from "../grid.ts";
import { must, rowsOf, until } from "../proof.ts";
import type { Ask, Cell, State } from "../state.ts";

/** A solo worker gives nothing up before its task ends. */
const GRACE = ["--busy-grace=3s"];

const asks = ({ pool }: Cell): readonly Ask[] => [
  { expect: pool === "solo" ? "healthy: busy" : "healthy: stopping" },
  { args: GRACE, expect: "unhealthy: hung" },
];

export const STOPPING: State = {
  id: "stopping",
  title: "it was asked to end (SIGTERM), and finishes its task first",
  asks,
  where: {
    prefork: ["5.0.5", "5.2.7", "5.5.3", NEWEST],
    solo: [NEWEST],
    threads: ["5.0.5", "5.2.7", "5.5.3", NEWEST],
    gevent: ["5.2.7", "5.5.3", NEWEST],
    eventlet: [NEWEST],
  },
  otherVersions: SAME_IN_ALL,
  make: async (world) => {
    const worker = await world.startWorker();
    const task = await worker.submit("nap_until", world.signalFile);
    await worker.taskStarted(task);
    worker.kill("SIGTERM");
    await worker.waitForLog(/Warm shutdown/);
    const isSolo = world.cell.pool === "solo";
    const fetching = async () =>
      (await rowsOf(world.redis, worker.pid)).filter(({ command }) => command === "brpop");
    await until("it has ceased to fetch for longer than the grace", 20_000, async () => {
      const rows = await fetching();
      return rows.some(({ flags, idle }) => !flags.includes("b") && idle >= 4) || undefined;
    });
    return {
      container: world.container,
      node: worker.node,
      prove: async () => {
        must(worker.isRunning, "it runs");
        if (!isSolo) must((await world.listeners()) === 0, "it has ceased to listen");
        return isSolo
          ? "it has printed that it stops; its task blocks it"
          : "it listens no more, its task runs";
      },
      after: async () => {
        await world.goOn();
        await worker.taskSucceeded(task);
        await Promise.race([worker.ended, wait(30_000)]);
        must(!worker.isRunning, "it has ended");
      },
    };
  },
};
