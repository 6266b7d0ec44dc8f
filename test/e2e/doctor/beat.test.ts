import { join } from "node:path";
import { expect, test } from "vitest";
import { startBeat } from "../../world/beat.ts";
import { startContainer } from "../../world/container.ts";
import { startServer } from "../../world/server.ts";
import { startWorker } from "../../world/worker.ts";
import { diagnoseIn, saying } from "./diagnose.ts";

const SCHEDULE = { tick: { task: "tasks.add", schedule: 3_600, args: [1, 2] } };

test.concurrent.each(["5.7.0", "5.2.7"] as const)(
  "one beat of Celery %s is well, two are a problem",
  async (celery) => {
    await using server = await startServer();
    await using container = await startContainer();
    await using _worker = await startWorker({ server, celery, settings: { beat_schedule: SCHEDULE } });
    const env = { CELERY_BROKER_URL: server.url() };
    await startBeat(container, { brokerUrl: server.url(), celery });
    const well = await diagnoseIn(container, [], env);
    expect(well.findings.filter(({ level }) => level === "warning" || level === "problem")).toEqual([]);
    expect(well.of("beat-processes")).toMatchObject([
      { level: "ok", seen: saying(/^beat process \d+ runs/) },
    ]);
    expect(well.of("beat-schedule-file")).toMatchObject([
      { level: "ok", seen: saying(/celerybeat-schedule written/) },
    ]);
    expect(well.of("beat-schedule")).toMatchObject([{ level: "ok", seen: "1 entry in beat_schedule" }]);
    await startBeat(container, {
      brokerUrl: server.url(),
      celery,
      args: ["-s", join(container.folder, "second")],
    });
    const two = await container.run(process.cwd() + "/dist/celery-probe", ["doctor"], env);
    expect(two.stdout).toMatch(/^first: beat-processes: .*\n +→ each of them sends every periodic task/m);
    expect(two.exitCode).toBe(1);
  },
);

test.concurrent("an empty schedule is a warning, and another scheduler's is named", async () => {
  await using server = await startServer();
  await using container = await startContainer();
  await using worker = await startWorker({ server });
  const env = { CELERY_BROKER_URL: server.url() };
  await startBeat(container, { brokerUrl: server.url() });
  const empty = await diagnoseIn(container, [], env);
  expect(empty.of("beat-schedule")).toMatchObject([
    { level: "warning", seen: saying(/beat_schedule is empty/) },
  ]);
  await worker.killAll();
  await using _other = await startWorker({
    server,
    settings: { beat_scheduler: "redbeat.RedBeatScheduler" },
  });
  const other = await diagnoseIn(container, [], env);
  expect(other.of("beat-schedule")).toMatchObject([
    { level: "skipped", seen: saying(/are in redbeat\.RedBeat/) },
  ]);
});
