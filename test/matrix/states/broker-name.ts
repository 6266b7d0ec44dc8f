import { setTimeout as wait } from "node:timers/promises";
import { nameHosts } from "../../world/host-names.ts";
import { connectionsOf } from "../../world/proc.ts";
import { freePort, type Server, startServer } from "../../world/server.ts";
import { cellsWith, NEWEST, SAME_IN_ALL } from "../grid.ts";
import { must } from "../proof.ts";
import type { Ask, Situation, State } from "../state.ts";
import type { World } from "../world.ts";

/** A server that is younger may not have its workers yet, in milliseconds. */
const SETTLED_MS = 63_000;

const [OLD, NEW] = ["127.0.0.2", "127.0.0.3"];

const where = cellsWith(["prefork", "solo"], [NEWEST], SAME_IN_ALL);

/** A worker on the old server, and another one that its broker's name leads to, which has been up for a minute. */
async function settled(
  world: World,
  before: (next: Server, brokerUrl: string) => Promise<void> = () => Promise.resolve(),
) {
  const port = await freePort();
  const old = world.keep(await startServer({ port, hosts: [OLD] }));
  const next = world.keep(await startServer({ port, hosts: [NEW] }));
  const name = await nameHosts(world.container, { broker: [NEW] });
  const brokerUrl = `redis://broker:${port}/0`;
  await before(next, brokerUrl);
  name({ broker: [OLD] });
  const worker = await world.startWorker({ server: old, brokerUrl });
  await wait(SETTLED_MS);
  const situation: Situation = {
    container: world.container,
    node: worker.node,
    env: { CELERY_BROKER_URL: brokerUrl },
    brokerUrl,
    prove: () => {
      const ports = connectionsOf(worker.pid).map(({ remotePort }) => remotePort);
      must(ports.includes(port), "it is connected to the old server");
      return Promise.resolve(`${ports.length} connections to the old server`);
    },
  };
  return {
    situation,
    name: (...to: string[]) => {
      name({ broker: to });
    },
  };
}

export const NAME_MOVED: State = {
  id: "name-moved",
  title: "its broker's name leads to another server now, and the old one lives on",
  asks: [
    { expect: "unhealthy: disconnected" },
    { args: ["--on-unknown=healthy"], expect: "unhealthy: disconnected" },
  ],
  where,
  otherVersions: SAME_IN_ALL,
  make: async (world) => {
    const { situation, name } = await settled(world);
    name(NEW);
    return { ...situation, says: /leads to 127\.0\.0\.3 now.*; hint: restart it/ };
  },
};

/** A restart would help nobody: the next answer may be another one. */
const never: readonly Ask[] = [
  { expect: "unknown: undecided", times: 3 },
  { args: ["--on-unknown=healthy"], expect: "unknown: undecided", exit: 0 },
];

export const NAME_ROTATES: State = {
  id: "name-rotates",
  title: "its broker's name leads to one server after the other, and others work on each",
  asks: never,
  where,
  otherVersions: SAME_IN_ALL,
  make: async (world) => {
    const { situation, name } = await settled(world, async (next, brokerUrl) => {
      // Who came first was led there.
      const { container } = world;
      world.keep(
        await container.startWorker({ server: next, brokerUrl, pool: "solo", name: "other@elsewhere" }),
      );
    });
    name(NEW);
    const args = ["--node", situation.node];
    return { ...situation, args, says: /127\.0\.0\.3.*127\.0\.0\.2/ };
  },
};
