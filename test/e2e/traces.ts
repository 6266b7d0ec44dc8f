import { expect } from "vitest";
import { type Server, startServer } from "../world/server.ts";
import { assertWorkerIsWell, startWorker } from "../world/worker.ts";
import { expectOurKeys, probeNode } from "./probe.ts";

/** Two for each core of the smallest machine that runs the tests. */
const AT_ONCE = 4;

/** Checks that `count` probes of one worker, four at a time, all get their answer and leave one key that expires. */
export async function expectNoTraces(count: number): Promise<void> {
  await using server = await startServer();
  await using worker = await startWorker({ server });
  await probeNode(server, worker.node);
  const before = await traces(server);
  const failures: string[] = [];
  let left = count;
  async function probeOn(): Promise<void> {
    while (left > 0) {
      left -= 1;
      const { exitCode, stdout } = await probeNode(server, worker.node);
      if (exitCode !== 0) failures.push(stdout);
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, probeOn));
  expect(failures).toEqual([]);
  expect(await traces(server)).toEqual(before);
  await expectOurKeys(server, 1);
  await assertWorkerIsWell(worker);
}

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
