import { describe, expect, test } from "vitest";
import { startContainer } from "../world/container.ts";
import { nameHosts } from "../world/host-names.ts";
import { type Own, owner } from "../world/owner.ts";
import { freePort } from "../world/server.ts";
import { EXECUTABLE, expectLine, type Probed } from "./probe.ts";

/** Brokers whose host name leads to several servers, one after the other or at once. Server A is the worker's. */

const LONGEST_MS = 120_000;
const [A, B, C] = ["127.0.0.2", "127.0.0.3", "127.0.0.4"];

async function world({ keep }: Own, first: readonly string[]) {
  const port = await freePort();
  const [a, b] = await Promise.all(
    [A, B].map((host, position) => keep(server(host, position === 1 ? [C] : []))),
  );
  const container = await keep(startContainer());
  const name = await nameHosts(container, { broker: first });
  if (a === undefined || b === undefined) throw new Error("there are two");
  return {
    a,
    b,
    port,
    container,
    name: (...to: string[]) => {
      name({ broker: to });
    },
  };

  async function server(host: string, more: readonly string[]) {
    const { startServer } = await import("../world/server.ts");
    return startServer({ port, hosts: [host, ...more] });
  }
}

type World = Awaited<ReturnType<typeof world>>;

function startWorker({ container, a, port }: World) {
  return container.startWorker({ server: a, brokerUrl: `redis://broker:${port}/0`, pool: "solo" });
}

async function ask({ container }: World, ...args: string[]): Promise<Probed> {
  const { stdout, ...rest } = await container.run(EXECUTABLE, args);
  return { ...rest, stdout: stdout.trimEnd() };
}

describe.concurrent("a broker's name with two addresses", { timeout: LONGEST_MS }, () => {
  test("is the address of the worker's server, whichever comes first", async () => {
    await using own = owner();
    const here = await world(own, [A]);
    const worker = await startWorker(here);
    for (const order of [
      [B, A],
      [A, B],
    ]) {
      here.name(...order);
      expectLine(await ask(here), 0, new RegExp(`^healthy: alive: ${worker.node} answered in`), 2_900);
    }
    await worker.taskStarted(await worker.submit("nap", 600));
    here.name(B, A);
    expectLine(await ask(here), 0, new RegExp(`^healthy: busy: ${worker.node} silent for`), 4_900);
  });
});

describe.concurrent("a broker's name that leads elsewhere", { timeout: LONGEST_MS }, () => {
  test("is undecided while the server there is young; the line names both addresses and suggests no setting", async () => {
    await using own = owner();
    const here = await world(own, [A]);
    const worker = await startWorker(here);
    here.name(B);
    const said = await ask(here);
    const line = new RegExp(
      `^unknown: undecided: ${worker.node} does not fetch or listen on redis://broker:${here.port}/0, ` +
        `which leads to ${B}, and is connected to ${A}:${here.port} .*; hint: if that name has moved permanently, restart`,
    );
    expectLine(said, 1, line, 4_900);
    expect(said.stdout).not.toContain("--broker");
  });
});
