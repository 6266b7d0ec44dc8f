import { expect, test } from "vitest";
import { type Server, startServer } from "../../world/server.ts";
import { until } from "../../world/until.ts";
import { startWorker } from "../../world/worker.ts";
import { client } from "./client.ts";
import { type Diagnosis, diagnose, saying, TWO_HEARTBEATS } from "./diagnose.ts";

const remote = (server: Server): Promise<Diagnosis> =>
  diagnose(["--placement", "remote", "--broker", server.url(), ...TWO_HEARTBEATS]);

const FIVE = "for n in range(5): add.delay(1, n)";

test("warns of messages in another database and with another prefix, which no worker reads", async () => {
  await using server = await startServer();
  await using worker = await startWorker({ server });
  expect((await remote(server)).of("elsewhere")).toEqual([]);
  await client(server.url(1), FIVE);
  await client(server.url(), FIVE, {
    settings: { broker_transport_options: { global_keyprefix: "prod_" } },
  });
  const { of, stdout } = await remote(server);
  expect(of("elsewhere"), stdout).toMatchObject([
    { level: "warning", seen: saying(/5 messages wait in prod_celery of database 0/) },
    { level: "warning", seen: saying(/5 messages wait in celery of database 1/) },
  ]);
  // Another application, whose worker is busy.
  await using other = await startWorker({ brokerUrl: server.url(1), args: ["--prefetch-multiplier=1"] });
  await other.taskStarted(await other.submit("nap", 300));
  for (let n = 0; n < 5; n++) await other.submit("nap", 300);
  expect((await remote(server)).of("elsewhere")).toMatchObject([{ seen: saying(/prod_celery/) }]);
  expect(worker.isRunning).toBe(true);
});

test("knows autoscale, warns of a slow rate and of an entry that names no task", async () => {
  await using server = await startServer();
  const beat_schedule = {
    daily: { task: "tasks.ad", schedule: 60 },
    good: { task: "tasks.add", schedule: 60 },
  };
  const settings = { beat_schedule };
  await using limited = await startWorker({ server, settings, queues: ["limited"] });
  await using scaled = await startWorker({ server, queues: ["scaled"], args: ["--autoscale=3,1"] });
  const naps = await Promise.all([1, 2, 3].map(() => scaled.submit("nap", 300)));
  for (let n = 0; n < 70; n++) await limited.submit("limited");
  for (const id of naps) await scaled.taskStarted(id);
  await until("one has begun", () => Promise.resolve(/tasks\.limited\S+ succeeded/.test(limited.log())));
  const { of, stdout } = await remote(server);
  expect(of("throughput"), stdout).toMatchObject([{ seen: saying(/; 3 of 4 slots busy/) }]);
  expect(of("standstill").filter(({ about }) => about === "limited")).toMatchObject([
    { level: "warning", seen: saying(/the rate_limit of tasks\.limited lets 60 begin in an hour/) },
  ]);
  expect(of("unregistered-task").filter(({ level }) => level === "warning")).toMatchObject([
    { seen: saying(/^the entry daily of beat_schedule sends tasks\.ad, and no worker/) },
  ]);
});

test("warns of two workers that share a name, in every run", async () => {
  await using server = await startServer();
  await using one = await startWorker({ server, name: "celery@shared", queues: ["one"] });
  await using other = await startWorker({ server, name: "celery@shared", queues: ["other"] });
  for (let run = 0; run < 2; run++) {
    expect((await remote(server)).of("siblings")).toMatchObject([
      { level: "warning", about: "celery@shared", seen: saying(/^2 workers answered one ping/) },
    ]);
  }
  expect([one.isRunning, other.isRunning]).toEqual([true, true]);
});
