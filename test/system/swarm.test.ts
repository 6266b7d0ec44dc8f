import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { DockerBench } from "./bench.ts";
import { healthOf, untilStatus } from "./health.ts";
import { ROOT } from "./probe-image.ts";
import { until } from "./until.ts";

const STACK = `celery-probe-swarm-${process.pid}`;
const WORKER_IMAGE = `${STACK}-worker`;

let bench: DockerBench;

beforeAll(async () => {
  bench = await DockerBench.open();
  const { docker, bases, probeImage } = bench;
  bench.atEnd(() => docker.run(["image", "rm", "--force", WORKER_IMAGE]));
  const values = ["--build-arg", `BASE=${bases.python}`, "--build-arg", `PROBE=${probeImage}`];
  await docker.run(["build", ...values, "--tag", WORKER_IMAGE, join(ROOT, "examples/compose")]);
  // The bridge, because an engine in its own network namespace has no other address.
  await docker.run(["swarm", "init", "--advertise-addr", "docker0"]);
  bench.atEnd(() => docker.run(["swarm", "leave", "--force"]));
  const file = join(ROOT, "examples/swarm/stack.yaml");
  expect(readFileSync(file, "utf8")).toContain("celery-probe");
  await docker
    .with({ WORKER_IMAGE, REDIS_IMAGE: bases.redis, CELERY_PROBE_BUSY_GRACE: "5m" })
    .run([...["stack", "deploy", "--resolve-image", "never", "--compose-file", file, STACK]]);
  return () => bench.close();
});

// The order matters: each test leaves the stack in the state that the next one needs.
describe("examples/swarm/stack.yaml", () => {
  test("shows all tasks as healthy", async () => {
    for (const task of [...(await tasksOf("worker", 2)), ...(await tasksOf("solo", 1))]) {
      const { runs } = await healthOf(bench.docker, task);
      expect(runs.at(-1)?.output).toMatch(/^healthy: alive: celery@\S+ answered in /);
    }
  });

  test("a busy worker is not replaced, for longer than three checks take", async () => {
    const [solo = ""] = await tasksOf("solo", 1);
    await bench.docker.run([
      ...["exec", solo, "python", "-c", 'from tasks import nap; nap.apply_async((45,), queue="solo")'],
    ]);
    const busy = await until("it is busy", 30_000, async () => {
      const last = (await healthOf(bench.docker, solo)).runs.at(-1);
      return last !== undefined && /^healthy: busy: /.test(last.output) ? last : undefined;
    });
    expect(busy.exitCode).toBe(0);
    await until("its task is done", 60_000, async () => {
      const { stdout, stderr } = await bench.docker.try(["logs", solo]);
      return /succeeded in/.test(stdout + stderr) || undefined;
    });
    expect(await tasksOf("solo", 1)).toEqual([solo]);
  });

  test("a stopped worker is replaced, and the other one is left alone", async () => {
    const [stopped = "", other = ""] = await tasksOf("worker", 2);
    await bench.docker.run(["kill", "--signal", "STOP", stopped]);
    const began = performance.now();
    await until("another task takes its place", 120_000, async () => {
      const now = await running("worker");
      return now.length === 2 && !now.includes(stopped) ? true : undefined;
    });
    expect(performance.now() - began).toBeLessThan(75_000);
    const after = await tasksOf("worker", 2);
    expect(after).toContain(other);
    expect(after).not.toContain(stopped);
    const errors = await bench.docker.run([
      ...["service", "ps", `${STACK}_worker`, "--no-trunc", "--filter", "desired-state=shutdown"],
      ...["--format", "{{.Error}}"],
    ]);
    expect(errors).toContain("unhealthy container");
  });
});

/** The running containers of a service. */
async function running(service: string): Promise<string[]> {
  const filters = ["--filter", `label=com.docker.swarm.service.name=${STACK}_${service}`];
  const listed = await bench.docker.run(["ps", "--quiet", "--no-trunc", ...filters]);
  return listed.split("\n").filter((id) => id !== "");
}

/** This many containers of a service. Resolves when they are healthy. */
async function tasksOf(service: string, count: number): Promise<string[]> {
  const containers = await until(`${service} has ${count} tasks`, 90_000, async () => {
    const found = await running(service);
    return found.length === count ? found.sort() : undefined;
  });
  await Promise.all(containers.map((id) => untilStatus(bench.docker, id, "healthy", 90_000)));
  return containers;
}
