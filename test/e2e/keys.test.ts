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
