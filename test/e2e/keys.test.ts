import { describe, expect, inject, test } from "vitest";
import { type Server, startServer } from "../world/server.ts";
import { assertWorkerIsWell, startWorker } from "../world/worker.ts";
import { expectLine, expectOurKeys, probe, probeNode } from "./probe.ts";

/** What a probe could leave behind on the broker. */
async function traces(server: Server) {
  const redis = server.client();
  const bindings = await redis.smembers("_kombu.binding.celery.pidbox");
  const clients = String(await redis.client("LIST"))
    .trim()
    .split("\n").length;
  redis.disconnect();
  return { lasting: await server.keysWithoutTtl(), bindings: bindings.sort(), clients };
}

test(
  "1,000 probes in a row leave one key in all, and connections and bindings as they were",
  { timeout: 300_000 },
  async () => {
    await using server = await startServer();
    await using worker = await startWorker({ server, celery: "5.7.0", pool: "prefork" });
    await probeNode(server, worker.node);
    const before = await traces(server);
    const failures: string[] = [];
    for (let run = 0; run < 1_000; run++) {
      const { exitCode, stdout } = await probeNode(server, worker.node);
      if (exitCode !== 0) failures.push(stdout);
    }
    expect(failures).toEqual([]);
    expect(await traces(server)).toEqual(before);
    await expectOurKeys(server, 1);
    await assertWorkerIsWell(worker);
  },
);

test("workers of another database leave no lasting key where the channel is that of all databases", async () => {
  await using server = await startServer();
  const settings = { broker_transport_options: { fanout_prefix: false } };
  const name = "same@world";
  const at = (db: number) => startWorker({ server, brokerUrl: server.url(db), settings, name, pool: "solo" });
  await using here = await at(0);
  await using there = await at(1);
  const words = ["--broker", server.url(), "--fanout-prefix", "false", "--placement", "remote"];
  for (const whom of [["--any"], ["--any"], ["--node", name], ["--node", name]]) {
    expect(await probe([...words, ...whom])).toMatchObject({ exitCode: 0 });
    // The answer that was not waited for.
    await there.answers();
    const lists = await there.redis.keys("*.reply.celery.pidbox");
    for (const key of lists.filter((one) => !one.startsWith("by-hand")))
      expect(await there.redis.ttl(key), key).toBeGreaterThan(80_000);
  }
  await assertWorkerIsWell(here);
});

const { url, workers } = inject("canaries");
describe.each(workers)("probing $node", ({ node }) => {
  test("brings every probe its pong when eight ask at the same moment", async () => {
    for (let round = 0; round < 5; round++) {
      const probes = await Promise.all(
        Array.from({ length: 8 }, () => probe(["--node", node], { CELERY_BROKER_URL: url })),
      );
      for (const probed of probes)
        expectLine(probed, 0, new RegExp(`^healthy: alive: ${node} answered in`), 4_900);
    }
  });
});
