import { availableParallelism } from "node:os";
import { isAlive } from "../../world/proc.ts";
import { cellsWith, NEWEST, NO_POOL, SAME_IN_ALL } from "../grid.ts";
import { must } from "../proof.ts";
import type { State } from "../state.ts";
import { polls } from "./answering.ts";

export const IMPORTING: State = {
  id: "importing",
  title: "it was started a moment ago and still imports its application",
  asks: [
    { expect: "unknown: undecided" },
    { args: ["--start-grace=60s"], expect: "healthy: starting" },
    { args: ["--on-unknown=healthy"], expect: "unknown: undecided", exit: 0 },
  ],
  where: cellsWith(["prefork", "solo", "gevent"], [NEWEST], SAME_IN_ALL),
  otherVersions: SAME_IN_ALL,
  make: async (world) => {
    const worker = await world.startWorker({
      server: world.server,
      until: "started",
      settings: { imports: ["slow_import"] },
      env: { SLOW_IMPORT_UNTIL: world.signalFile },
    });
    return {
      container: world.container,
      node: worker.node,
      prove: async () => {
        must(isAlive(worker.pid), "its process runs");
        must((await world.listeners()) === 0, "nobody listens");
        must(!worker.log().includes("ready."), "it has not said that it is ready");
        return "its process runs and has not subscribed yet";
      },
      after: async () => {
        await world.goOn();
        await worker.waitForLog(/ ready\.$/m, { timeoutMs: 40_000 });
        await world.canary(worker);
      },
    };
  },
};

export const STARVED: State = {
  id: "starved",
  title: "other programs burn every core of the machine twice over",
  // Answers may be late, and then it is busy; a restart would be wrong in every single case.
  asks: [{ expect: "healthy: alive", or: "healthy: busy", times: 100 }],
  where: cellsWith(["prefork", "solo"], [NEWEST], NO_POOL),
  otherVersions: SAME_IN_ALL,
  alone: true,
  make: async (world) => {
    const worker = await world.startWorker();
    const burners = await Promise.all(
      Array.from({ length: 2 * availableParallelism() }, () =>
        world.container.start({
          what: "burner",
          command: "/bin/sh",
          args: () => ["-c", "while :; do :; done"],
          env: () => ({ PATH: "/usr/bin:/bin" }),
        }),
      ),
    );
    return {
      container: world.container,
      node: worker.node,
      prove: async () => {
        must(
          burners.every(({ isRunning }) => isRunning),
          "the burners run",
        );
        return `${await polls(world, worker)}, two burners a core run`;
      },
      after: async () => {
        await Promise.all(burners.map((burner) => burner.stop(0)));
        await world.canary(worker);
      },
    };
  },
};
