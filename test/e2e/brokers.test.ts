import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { startContainer } from "../world/container.ts";
import { owner } from "../world/owner.ts";
import { startSentinels } from "../world/sentinel.ts";
import { freePort } from "../world/server.ts";
import { startWorker } from "../world/worker.ts";
import { expectAlive, KINDS } from "./broker-kinds.ts";
import { EXECUTABLE, expectLine, probe } from "./probe.ts";
import { until } from "../world/until.ts";

/** The kinds of brokers that people use, each with a real worker on it. */

test.concurrent.each(Object.keys(KINDS))("a worker of Celery 5.7.0 is alive when its broker has %s", (kind) =>
  expectAlive("5.7.0", kind),
);

// The kinds in which the older client differs most; `test/system/brokers.test.ts` has all of them.
test.concurrent.each([
  "broker_use_ssl and a certificate of the clients",
  "names of its own",
  "Sentinels with passwords",
])("a worker of Celery 5.2.7 is alive when its broker has %s", (kind) => expectAlive("5.2.7", kind));

const remote = (url: string, node: string, ...words: string[]) =>
  probe(["--node", node, ...words], { CELERY_PROBE_BROKER: url, CELERY_PROBE_PLACEMENT: "remote" });

const ALIVE = /^healthy: alive: /;

test.concurrent("a worker is alive when it sends a needless password, as redis-py 8 can", async () => {
  await using own = owner();
  const { keep, server } = own;
  const broker = await server();
  const url = broker.url(2).replace("//", "//:unasked@");
  const worker = await keep(startWorker({ server: broker, brokerUrl: url, pool: "solo" }));
  expectLine(await remote(url, worker.node), 0, ALIVE, 3_000);
  const gone = await remote(url, "gone@world", "--retries=0");
  expectLine(gone, 1, /^unknown: undecided: /, 5_000);
});

test.concurrent("a worker is alive when its kombu does not know its setting global_keyprefix", async () => {
  await using own = owner();
  const { keep, server } = own;
  const broker = await server();
  const settings = { broker_transport_options: { global_keyprefix: "gp:" } };
  const worker = await keep(startWorker({ server: broker, settings, celery: "5.0.5", pool: "solo" }));
  expectLine(await remote(broker.url(), worker.node, "--global-keyprefix=gp:"), 0, ALIVE, 3_000);
  // If the prefixes differ, nothing is sent to all workers.
  expectLine(await remote(broker.url(), worker.node, "--global-keyprefix=other:"), 0, ALIVE, 3_000);
});

test.concurrent("workers are alive that use Sentinels, with kombu before and after 5.4.0", async () => {
  await using own = owner();
  const { keep } = own;
  const sentinels = await keep(startSentinels());
  const newer = await keep(startWorker({ sentinels, pool: "solo" }));
  const older = await keep(startWorker({ sentinels, celery: "5.2.7", redisPy: "4.6.0", pool: "solo" }));
  expectLine(await remote(sentinels.url(), newer.node), 0, ALIVE, 1_500);
  expectLine(await remote(sentinels.url(), older.node), 0, ALIVE, 1_500);
  expectLine(await remote(sentinels.url(), "gone@x", "--retries=0"), 1, /^unknown: undecided: /, 5_000);
});

describe("of a list", () => {
  test.concurrent(
    "the server counts that the worker is connected to, even when the first one is back",
    async () => {
      await using own = owner();
      const { keep, server } = own;
      const port = await freePort();
      const second = await server();
      const url = `redis://127.0.0.1:${port}/0;${second.url()}`;
      const container = await keep(startContainer());
      const worker = await container.startWorker({ server: second, brokerUrl: url, pool: "solo" });
      await server({ port });
      const { stdout, exitCode } = await container.run(EXECUTABLE, ["--verbose"]);
      expect(stdout).toMatch(new RegExp(`^healthy: alive: ${worker.node} `));
      expect(stdout).toContain(`server:      127.0.0.1:${second.port}, database 0`);
      expect(exitCode).toBe(0);
    },
  );

  test.concurrent("the first is named when none can be reached", async () => {
    const [one, two] = [await freePort(), await freePort()];
    const url = `redis://127.0.0.1:${one}/0;redis://127.0.0.1:${two}/0`;
    const line = new RegExp(`^unknown: broker-unreachable: 127\\.0\\.0\\.1:${one} refused the connection`);
    expectLine(await remote(url, "x@y"), 1, line, 2_000);
  });
});

/** The verdicts that are allowed while a worker's master is replaced. */
const IN_A_FAILOVER =
  /^(healthy: (alive|busy): |unknown: broker-unreachable: |unknown: undecided: \S+ is not connected to )/;

test.concurrent(
  "a worker is called neither dead nor unhealthy while Sentinels replace its master, and is alive again",
  async () => {
    await using own = owner();
    const { keep } = own;
    const sentinels = await keep(startSentinels());
    const container = await keep(startContainer());
    const worker = await container.startWorker({ sentinels });
    const lines: string[] = [];
    let isOver = false;
    const probing = (async () => {
      while (!isOver) lines.push((await container.run(EXECUTABLE)).stdout.trimEnd());
    })();
    await sentinels.failover();
    await sentinels.killMaster();
    await until("it is alive three times", () => lines.slice(-3).every((line) => ALIVE.test(line)));
    isOver = true;
    await probing;
    expect(lines.filter((line) => !IN_A_FAILOVER.test(line))).toEqual([]);
    // Otherwise no run saw the failover.
    expect(lines.filter((line) => !ALIVE.test(line))).not.toEqual([]);
    expect(worker.isRunning).toBe(true);
  },
  150_000,
);

test.concurrent("a blocked worker is busy, and alive again, when it uses a unix socket", async () => {
  await using own = owner();
  const { keep, server } = own;
  const broker = await server({ socket: true });
  const container = await keep(startContainer());
  const options = { server: broker, brokerUrl: broker.socketUrl(), pool: "solo" } as const;
  const worker = await container.startWorker(options);
  const goOn = join(container.folder, "go-on");
  await worker.taskStarted(await worker.submit("shell_until", goOn));
  const ask = async () => (await container.run(EXECUTABLE)).stdout.trimEnd();
  expect(await ask()).toMatch(/^healthy: busy: .* for an unknown time/);
  writeFileSync(goOn, "");
  await until("it is alive", async () => ALIVE.test(await ask()));
  await worker.killAll();
  expect(await ask()).toMatch(/^unhealthy: dead: /);
});

test.concurrent("a blocked worker is busy when its broker does not have CLIENT and PUBSUB", async () => {
  await using own = owner();
  const { keep, server } = own;
  const without = ["CLIENT", "PUBSUB"].flatMap((command) => ["--rename-command", command, ""]);
  const broker = await server({ args: without });
  const container = await keep(startContainer());
  const worker = await container.startWorker({ server: broker, pool: "solo" });
  await worker.taskStarted(await worker.submit("nap", 30));
  const { stdout } = await container.run(EXECUTABLE);
  expect(stdout).toMatch(new RegExp(`^healthy: busy: ${worker.node} silent`));
});
