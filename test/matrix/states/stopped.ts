import { existsSync } from "node:fs";
import { mkdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { childrenOf, processStat } from "../../world/proc.ts";
import type { Worker } from "../../world/worker.ts";
import { cellsWith, NEWEST, NO_POOL, POOLS, SAME_IN_ALL } from "../grid.ts";
import { must, until } from "../proof.ts";
import type { Ask, State } from "../state.ts";
import type { World } from "../world.ts";

const STOPPED: Ask = { expect: "unhealthy: stopped", withinMs: 1_000 };

export const SIGSTOP: State = {
  id: "sigstop",
  title: "SIGSTOP has stopped it",
  asks: [STOPPED],
  where: { ...cellsWith(POOLS, [NEWEST], ""), prefork: ["5.0.5", "5.2.7", NEWEST] },
  otherVersions: SAME_IN_ALL,
  make: async (world) => {
    const worker = await world.startWorker();
    await suspend(worker);
    return {
      container: world.container,
      node: worker.node,
      prove: () => inState(worker, "T"),
      after: async () => {
        worker.resume();
        await world.canary(worker);
      },
    };
  },
};

export const ONE_OF_TWO_STOPPED: State = {
  id: "one-of-two-stopped",
  title: "two workers in one container, one of them stopped",
  asks: [STOPPED],
  where: cellsWith(["prefork", "gevent"], [NEWEST], NO_POOL),
  otherVersions: SAME_IN_ALL,
  make: async (world) => {
    const [stopped, well] = [
      await world.startWorker({ name: "one@%h" }),
      await world.startWorker({ name: "two@%h", queues: ["second"] }),
    ];
    await suspend(stopped);
    return {
      container: world.container,
      node: stopped.node,
      says: new RegExp(stopped.node),
      prove: async () => {
        must(processStat(well.pid)?.state !== "T", "the other one runs");
        return inState(stopped, "T");
      },
      after: async () => {
        stopped.resume();
        await world.canary(stopped);
        await world.canary(well);
      },
    };
  },
};

export const FROZEN_V1: State = {
  id: "frozen-v1",
  title: "its cgroup is frozen (version 1), as `docker pause` does",
  asks: [STOPPED],
  where: cellsWith(["prefork", "solo"], [NEWEST], NO_POOL),
  otherVersions: SAME_IN_ALL,
  make: (world) =>
    frozen(world, {
      mount: "/sys/fs/cgroup/freezer",
      file: "freezer.state",
      freeze: "FROZEN",
      thaw: "THAWED",
      seen: { file: "freezer.state", text: "FROZEN" },
    }),
};

export const FROZEN_V2: State = {
  id: "frozen-v2",
  title: "its cgroup is frozen (version 2), as `docker pause` does",
  asks: [STOPPED],
  where: cellsWith(["prefork", "solo"], [NEWEST], NO_POOL),
  otherVersions: SAME_IN_ALL,
  make: (world) =>
    frozen(world, {
      mount: existsSync("/sys/fs/cgroup/unified") ? "/sys/fs/cgroup/unified" : "/sys/fs/cgroup",
      file: "cgroup.freeze",
      freeze: "1",
      thaw: "0",
      seen: { file: "cgroup.events", text: "frozen 1" },
    }),
};

interface Freezer {
  readonly mount: string;
  /** Written to. */
  readonly file: string;
  readonly freeze: string;
  readonly thaw: string;
  /** Where the kernel says that it is done. */
  readonly seen: { readonly file: string; readonly text: string };
}

async function frozen(world: World, freezer: Freezer) {
  const worker = await world.startWorker();
  const cgroup = join(freezer.mount, basename(`celery-probe-matrix-${worker.pid}`));
  await mkdir(cgroup);
  const write = (text: string) => writeFile(join(cgroup, freezer.file), text);
  // The kill of a frozen process waits for its thaw, and the folder goes when it is empty.
  world.keep({
    [Symbol.asyncDispose]: async () => {
      await write(freezer.thaw);
      await worker.killAll();
      await until(`${cgroup} is empty`, 5_000, () =>
        rmdir(cgroup).then(
          () => true,
          () => undefined,
        ),
      );
    },
  });
  for (const pid of [worker.pid, ...childrenOf(worker.pid)]) {
    await writeFile(join(cgroup, "cgroup.procs"), String(pid));
  }
  await write(freezer.freeze);
  const isFrozen = async () =>
    (await readFile(join(cgroup, freezer.seen.file), "utf8")).includes(freezer.seen.text);
  await until(`${cgroup} is frozen`, 5_000, async () => (await isFrozen()) || undefined);
  return {
    container: world.container,
    node: worker.node,
    prove: async () => {
      must(await isFrozen(), "the cgroup is frozen");
      return `its cgroup says ${freezer.seen.text}, its process state ${processStat(worker.pid)?.state}`;
    },
    after: async () => {
      await write(freezer.thaw);
      await world.canary(worker);
    },
  };
}

async function suspend(worker: Worker): Promise<void> {
  worker.suspend();
  await until("it is stopped", 5_000, () => processStat(worker.pid)?.state === "T" || undefined);
}

function inState(worker: Worker, state: string): Promise<string> {
  must(processStat(worker.pid)?.state === state, `its process state is ${state}`);
  return Promise.resolve(`process state ${state}`);
}
