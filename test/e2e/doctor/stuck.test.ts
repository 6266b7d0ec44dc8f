import { expect, test } from "vitest";
import { startContainer } from "../../world/container.ts";
import { type Proxy, startProxy } from "../../world/proxy.ts";
import { startServer } from "../../world/server.ts";
import { until } from "../../world/until.ts";
import type { Worker } from "../../world/worker.ts";
import { EXECUTABLE } from "../probe.ts";
import { diagnoseIn, saying } from "./diagnose.ts";

test.concurrent.each([
  ["5.0.5", "prefork"],
  ["5.7.0", "prefork"],
  ["5.7.0", "threads"],
] as const)("names a full pipe that blocks the log of %s with pool %s", async (celery, pool) => {
  await using server = await startServer();
  await using container = await startContainer();
  await using worker = await container.startWorker({ server, celery, pool, app: "unread_output" });
  for (let n = 0; n < 5; n++) await worker.submit("add", 1, 2);
  await until("it is silent", async () => !(await worker.answers(1_000)));
  const { of } = await diagnoseIn(container);
  expect(of("stuck")).toMatchObject([
    {
      level: "problem",
      about: worker.node,
      seen: saying(/^its main process\b.* blocked for .* by writing to its std(?:err|out)\b/),
      next: saying(/log shipper/),
    },
  ]);
  const { stdout } = await container.run(EXECUTABLE, ["doctor", "--observe", "1s"]);
  expect(stdout).toMatch(/^first: stuck: /m);
});

/**
 * Acts like a firewall that forgets idle connections. The connections by which the worker fetches and listens are not
 * idle.
 */
async function forgetIdle(worker: Worker, proxy: Proxy): Promise<void> {
  const list = String(await worker.redis.call("CLIENT", "LIST", "TYPE", "normal"));
  for (const [, port] of list.matchAll(/ addr=127\.0\.0\.1:(\d+) .* cmd=(?!brpop|client)/g)) {
    proxy.swallow(Number(port));
  }
}

test.concurrent("names the connection on which a worker waits in vain", async () => {
  await using server = await startServer();
  await using proxy = await startProxy(server.port);
  await using container = await startContainer();
  await using worker = await container.startWorker({ server, celery: "5.6.3", brokerUrl: proxy.url() });
  await forgetIdle(worker, proxy);
  await worker.submit("add", 1, 2);
  await until("it is silent", async () => !(await worker.answers(1_000)));
  const { of } = await diagnoseIn(container);
  expect(of("stuck")).toMatchObject([
    {
      level: "problem",
      about: worker.node,
      seen: saying(
        new RegExp(`^its main process has waited .* on the connection to 127\\.0\\.0\\.1:${proxy.port},`),
      ),
      next: saying(/load balancer.*socket_timeout/),
    },
  ]);
});
