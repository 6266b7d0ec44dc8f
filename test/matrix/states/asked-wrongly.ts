import { cellsWith, NEWEST, NO_POOL, SAME_IN_ALL } from "../grid.ts";
import type { Ask, State } from "../state.ts";
import { polls } from "./answering.ts";

/** A mistake in a health check must not restart a fleet that is well, and the line must name both sides. */
const UNDECIDED: readonly Ask[] = [{ expect: "unknown: undecided" }];

export const ANOTHER_DATABASE: State = {
  id: "asked-in-another-database",
  title: "the probe is told another database than the one the worker uses",
  asks: UNDECIDED,
  where: cellsWith(["prefork", "gevent"], [NEWEST], NO_POOL),
  otherVersions: SAME_IN_ALL,
  make: async (world) => {
    const worker = await world.startWorker();
    const url = world.server.url(1);
    return {
      container: world.container,
      node: worker.node,
      brokerUrl: url,
      args: ["--broker", url],
      prove: () => polls(world, worker),
      after: () => world.canary(worker),
    };
  },
};

export const ANOTHER_NAME: State = {
  id: "asked-by-another-name",
  title: "the probe is told another name than the worker has",
  asks: UNDECIDED,
  where: cellsWith(["prefork"], [NEWEST], NO_POOL),
  otherVersions: SAME_IN_ALL,
  make: async (world) => {
    const worker = await world.startWorker();
    const asked = `celery@not-${world.container.hostname}`;
    return {
      container: world.container,
      node: asked,
      args: ["--node", asked],
      says: new RegExp(worker.node),
      prove: () => polls(world, worker),
      after: () => world.canary(worker),
    };
  },
};
