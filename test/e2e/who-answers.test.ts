import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Server, startServer } from "../world/server.ts";
import { assertWorkerIsWell, startWorker, type Worker } from "../world/worker.ts";
import { expectLine, expectOurKeys, probe, probeNode } from "./probe.ts";

describe("with two workers on the broker", () => {
  let server: Server;
  let first: Worker;
  let second: Worker;
  beforeAll(async () => {
    server = await startServer();
    [first, second] = await Promise.all([
      startWorker({ server, celery: "5.7.0", pool: "prefork", queues: ["first"] }),
      startWorker({ server, celery: "5.2.7", pool: "solo", queues: ["second"] }),
    ]);
  });
  afterAll(async () => {
    await first.stop();
    await second.stop();
    await server.stop();
  });
  const ask = (...args: string[]) =>
    probe(args, { CELERY_BROKER_URL: server.url(), CELERY_PROBE_PLACEMENT: "remote" });

  test("both must answer when both are named", async () => {
    const probed = await ask("--node", first.node, "--node", second.node);
    expectLine(probed, 0, new RegExp(`^healthy: alive: 2 nodes \\((${first.node}|${second.node}), `), 1_000);
  });

  test("the missing one is named when one of two does not answer", async () => {
    const probed = await ask("--node", `${first.node},w9@world`, "--timeout=200ms", "--retries=1");
    expectLine(
      probed,
      1,
      new RegExp(
        `^unknown: undecided: no pong from w9@world within .* \\(2 pings\\).*; 2 connections .*; ${first.node} answered; hint: `,
      ),
      4_900,
    );
  });

  test("another node's pong does not count when one is named", async () => {
    expectLine(
      await ask("--node", "w9@world", "--timeout=200ms", "--retries=0"),
      1,
      /^unknown: undecided: no pong from w9@world within .* \(1 ping\).*; 2 connections subscribed/,
      4_900,
    );
  });

  test("one is enough with --any", async () => {
    expectLine(await ask("--any"), 0, /^healthy: alive: \S+ answered in|^healthy: alive: 2 nodes/, 1_000);
  });

  test("as many workers must answer as --min-nodes asks for", async () => {
    expectLine(await ask("--min-nodes=2"), 0, /^healthy: alive: 2 nodes \(/, 1_000);
    const tooMany = await ask("--min-nodes=3", "--timeout=200ms", "--retries=0");
    expectLine(tooMany, 1, /^unknown: undecided: 2 of 3 nodes answered within \d+ ms \(1 ping\); /, 1_500);
  });

  test("one key is left for each set of nodes, and both workers are healthy at the end", async () => {
    await ask("--min-nodes=2");
    await ask("--node", second.node, "--node", first.node);
    // {first, second}, {first, w9}, {w9} and everyone.
    await expectOurKeys(server, 4);
    await assertWorkerIsWell(first);
    await assertWorkerIsWell(second);
  });
});

test("workers that reply in pickle or yaml are counted when everyone or several are asked", async () => {
  await using server = await startServer();
  const inYaml = { task_serializer: "yaml", accept_content: ["json", "yaml"] };
  const inPickle = { task_serializer: "pickle", accept_content: ["json", "pickle"] };
  await using one = await startWorker({ server, pool: "solo", settings: inYaml });
  // Celery refuses to read pickle as root unless a setting and a variable allow it.
  await using two = await startWorker({
    server,
    pool: "solo",
    settings: inPickle,
    env: { C_FORCE_ROOT: "1" },
  });
  const ask = (...args: string[]) =>
    probe(args, { CELERY_BROKER_URL: server.url(), CELERY_PROBE_PLACEMENT: "remote" });
  expectLine(await ask("--any"), 0, /^healthy: alive: /, 1_900);
  expectLine(
    await ask("--min-nodes=2"),
    0,
    /^healthy: alive: 2 nodes \(unnamed worker 1, unnamed worker 2\)/,
    1_900,
  );
  expectLine(await ask("--node", `${one.node},${two.node}`), 0, /^healthy: alive: 2 nodes \(/, 1_900);
  const tooMany = await ask("--node", `${one.node},w9@world`, "--timeout=200ms", "--retries=0");
  expectLine(tooMany, 1, /^unknown: undecided: no pong from w9@world within .*; \S+ answered; /, 4_900);
});

test("a list full of old replies is not read again when a fleet is asked", async () => {
  await using server = await startServer();
  await using worker = await startWorker({ server, pool: "solo" });
  const ask = () => probe(["--any"], { CELERY_BROKER_URL: server.url() });
  await ask();
  const redis = server.client();
  const [key = ""] = await redis.keys("*.reply.celery.pidbox");
  const [pong = ""] = await redis.lrange(key, 0, 0);
  await redis.lpush(key, ...Array<string>(4_096).fill(pong));
  const sent = async () => Number(/total_net_output_bytes:(\d+)/.exec(await redis.info("stats"))?.[1]);
  const before = await sent();
  expectLine(await ask(), 0, /^healthy: alive: /, 1_900);
  expect((await sent()) - before).toBeLessThan(50_000);
  // What the preparation leaves, its tombstone and the answer.
  expect(await redis.llen(key)).toBeLessThanOrEqual(4_098);
  await assertWorkerIsWell(worker);
});

test("two workers with one name are mentioned when both answer", async () => {
  await using server = await startServer();
  await using one = await startWorker({ server, pool: "solo", name: "twin@world" });
  await using two = await startWorker({ server, pool: "solo", name: "twin@world", until: "listens" });
  expect(two.node).toBe(one.node);
  // The first look may show one or both of the pongs. The hint needs both.
  let both = "";
  for (let tries = 0; tries < 30 && !both.includes("hint"); tries++) {
    const probed = await probeNode(server, one.node);
    expect(probed.exitCode).toBe(0);
    both = probed.stdout;
  }
  expect(both).toMatch(
    /; hint: twin@world answered more than once: give each worker a name of its own with -n$/,
  );
});
