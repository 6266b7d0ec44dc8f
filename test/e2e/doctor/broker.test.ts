import { once } from "node:events";
import { expect, test } from "vitest";
import { freePort, startServer } from "../../world/server.ts";
import { startStopwatch } from "../../world/stopwatch.ts";
import { until } from "../../world/until.ts";
import { startWorker } from "../../world/worker.ts";
import { probe, startProbe } from "../probe.ts";
import { diagnose, saying } from "./diagnose.ts";

test.concurrent("names a broker that refuses connections, and the source of its URL", async () => {
  const port = await freePort();
  const { of, exitCode } = await diagnose(["--placement", "remote"], {
    CELERY_BROKER_URL: `redis://:secret@127.0.0.1:${port}/0`,
  });
  expect(of("worker")).toMatchObject([
    { seen: "unknown: broker-unreachable: no worker can be asked", next: null },
  ]);
  expect(of("broker")).toMatchObject([
    { level: "problem", seen: saying(/refused.*\(from CELERY_BROKER_URL\)/) },
  ]);
  expect(exitCode).toBe(1);
});

test.concurrent("names a wrong password without repeating it, once as the first thing to do", async () => {
  await using server = await startServer({ password: "right" });
  const url = server.url().replace("right", "wr0ng");
  const { stdout, exitCode } = await probe(["doctor", "--placement", "remote"], { CELERY_BROKER_URL: url });
  expect(stdout).toMatch(/^PROBLEM  broker: .*WRONGPASS/m);
  expect(stdout).toMatch(/^first: broker: /m);
  expect(stdout).not.toContain("wr0ng");
  expect(exitCode).toBe(1);
});

test.concurrent("names the primary of a replica, and warns of a replica that accepts writes", async () => {
  await using primary = await startServer();
  await using server = await startServer();
  const redis = server.client();
  await redis.replicaof("127.0.0.1", primary.port);
  await until("it follows", async () => /master_link_status:up/.test(await redis.info("replication")));
  const follows = `127\\.0\\.0\\.1:${primary.port}`;
  const next = saying(new RegExp(`^point the broker URL at ${follows}; if you did not .*REPLICAOF NO ONE`));
  const args = ["--broker", server.url(), "--placement", "remote"];
  const shut = await diagnose(args);
  expect(shut.of("broker")).toMatchObject([
    { level: "problem", seen: saying(new RegExp(`is a read-only replica of ${follows}$`)), next },
  ]);
  // Once is enough.
  expect(shut.of("worker")).toMatchObject([
    { level: "problem", seen: "unknown: broker-refused: no worker can be asked", next: null },
  ]);
  await redis.config("SET", "replica-read-only", "no");
  const open = await diagnose(args);
  expect(open.of("broker")).toMatchObject([
    { level: "warning", seen: saying(new RegExp(`it is a writable replica of ${follows}$`)), next },
  ]);
  await primary.stop();
  await until("it is alone", async () => /master_link_status:down/.test(await redis.info("replication")));
  expect((await diagnose(args)).of("broker")).toMatchObject([
    { seen: saying(/, to which it has no connection$/) },
  ]);
  redis.disconnect();
});

test.concurrent("warns of a broker that may evict tasks, and of one that is nearly full", async () => {
  await using server = await startServer();
  const redis = server.client();
  const { of } = await diagnose(["--broker", server.url(), "--placement", "remote"]);
  expect(of("broker-memory")).toMatchObject([{ level: "ok" }]);
  await redis.config("SET", "maxmemory", "100mb", "maxmemory-policy", "allkeys-lru");
  const evicting = await diagnose(["--broker", server.url(), "--placement", "remote"]);
  expect(evicting.of("broker-memory")).toMatchObject([{ level: "warning", next: saying(/noeviction/) }]);
  const used = Number(/used_memory:(\d+)/.exec(await redis.info("memory"))?.[1]);
  await redis.config("SET", "maxmemory", Math.round(used * 1.05), "maxmemory-policy", "noeviction");
  const full = await diagnose(["--broker", server.url(), "--placement", "remote"]);
  expect(full.of("broker-memory")).toMatchObject([{ level: "warning", next: saying(/maxmemory/) }]);
  redis.disconnect();
});

test.concurrent("tells a blocked solo worker that prefork answers during long tasks", async () => {
  await using server = await startServer();
  await using worker = await startWorker({ server, pool: "solo" });
  await worker.taskStarted(await worker.submit("nap", 60));
  // It waits for two pings, then for heartbeats. A busy machine needs longer than half of 15 s.
  const args = ["--node", worker.node, "--deadline", "40s"];
  const { of } = await diagnose(args, { CELERY_BROKER_URL: server.url() });
  expect(of("worker")).toMatchObject([{ level: "warning", seen: saying(/busy/), next: saying(/prefork/) }]);
});

test.concurrent("does not call a broker healthy that ended in the middle of the run", async () => {
  const server = await startServer();
  await using worker = await startWorker({ server });
  const running = startProbe(["doctor", "--placement", "remote", "--broker", server.url()]);
  await once(running.stdout, "data");
  await server.stop();
  const { stdout, exitCode } = await running;
  expect(stdout).toMatch(/^ok +broker 127/m);
  expect(stdout).toMatch(/^PROBLEM +broker: .*; it answered when this run began/m);
  expect(stdout).toMatch(/^first: broker: /m);
  expect(stdout).toMatch(/queue-length: .*the broker did not answer/);
  expect(exitCode).toBe(1);
  expect(worker.isRunning).toBe(true);
});

test.concurrent("reads a broker that is full and cannot carry a question", async () => {
  await using server = await startServer();
  await using worker = await startWorker({ server });
  const redis = server.client();
  await redis.rpush("celery-task-meta-ballast", "x".repeat(2_000_000));
  await redis.config("SET", "maxmemory", "1mb", "maxmemory-policy", "noeviction");
  const { of, exitCode } = await diagnose(["--broker", server.url(), "--placement", "remote"]);
  await redis.config("SET", "maxmemory", "0");
  redis.disconnect();
  expect(of("broker")).toMatchObject([{ level: "problem", seen: saying(/OOM/) }]);
  expect(of("broker-memory")).toMatchObject([{ level: "warning" }]);
  expect(exitCode).toBe(1);
  expect(worker.isRunning).toBe(true);
});

test.concurrent("ends at once after a signal", async () => {
  await using server = await startServer();
  const running = startProbe(["doctor", "--placement", "remote", "--broker", server.url()]);
  await once(running.stdout, "data");
  const elapsedMs = startStopwatch();
  running.kill("SIGTERM");
  const { exitCode } = await running;
  expect(exitCode).toBe(1);
  expect(elapsedMs()).toBeLessThan(3_000);
});
