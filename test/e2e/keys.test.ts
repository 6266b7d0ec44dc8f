import { describe, expect, inject, test } from "vitest";
import { startServer } from "../world/server.ts";
import { assertWorkerIsWell, startWorker } from "../world/worker.ts";
import { expectLine, probe } from "./probe.ts";
import { expectNoTraces } from "./traces.ts";

test("100 probes leave a single key, and do not change connections and bindings", async () => {
  await expectNoTraces(100);
});

test("workers of another database leave no lasting key when all databases share the channel", async () => {
  await using server = await startServer();
  const settings = { broker_transport_options: { fanout_prefix: false } };
  const name = "same@world";
  const at = (db: number) => startWorker({ server, brokerUrl: server.url(db), settings, name, pool: "solo" });
  await using here = await at(0);
  await using there = await at(1);
  const words = ["--broker", server.url(), "--fanout-prefix", "false", "--placement", "remote"];
  for (const whom of [["--any"], ["--any"], ["--node", name], ["--node", name]]) {
    expect(await probe([...words, ...whom])).toMatchObject({ exitCode: 0 });
    // The answer that the probe did not wait for.
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
