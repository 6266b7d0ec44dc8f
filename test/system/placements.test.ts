import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { DockerBench } from "./bench.ts";
import type { ComposeProject } from "./docker.ts";
import { healthOf, untilStatus } from "./health.ts";
import { ROOT } from "./probe-image.ts";
import { until } from "./until.ts";

let bench: DockerBench;
let project: ComposeProject;

beforeAll(async () => {
  bench = await DockerBench.open();
  project = {
    name: `celery-probe-placements-${process.pid}`,
    files: [join(ROOT, "examples/compose/placements.yaml")],
    env: {
      PYTHON_IMAGE: bench.bases.python,
      REDIS_IMAGE: bench.bases.redis,
      PROBE_IMAGE: bench.probeImage,
    },
  };
  const removal = ["down", "--rmi", "local", "--volumes", "--remove-orphans", "--timeout", "1"];
  bench.atEnd(() => bench.docker.compose(project, removal));
  await bench.docker.compose(project, ["up", "--build", "--detach"]);
  return () => bench.close();
});

// The order matters: each test leaves the project in the state that the next one needs.
describe("examples/compose/placements.yaml", () => {
  test("shows all three as healthy when the workers have started", async () => {
    const [inside, beside, monitor] = await Promise.all(
      ["inside", "beside", "monitor"].map(async (service) =>
        untilStatus(bench.docker, await containerOf(service), "healthy", 90_000),
      ),
    );
    expect(inside?.runs.at(-1)?.output).toMatch(/^healthy: alive: celery@\S+ answered in /);
    expect(beside?.runs.at(-1)?.output).toMatch(/^healthy: alive: celery@\S+ answered in /);
    expect(monitor?.runs.at(-1)?.output).toMatch(/^healthy: alive: 2 nodes /);
  });

  test("keeps the sidecar healthy, as busy, while a task blocks the worker", async () => {
    const submit = 'from tasks import nap; nap.apply_async((25,), queue="solo")';
    await bench.docker.run(["exec", await containerOf("inside"), "python", "-c", submit]);
    const beside = await containerOf("beside");
    const busy = await until("the sidecar says busy", 40_000, async () => {
      const last = (await healthOf(bench.docker, beside)).runs.at(-1);
      return last !== undefined && /^healthy: busy: /.test(last.output) ? last : undefined;
    });
    expect(busy.exitCode).toBe(0);
  });

  test("shows sidecar and monitor as unhealthy while the worker is stopped", async () => {
    const worker = await containerOf("worker");
    await until(
      "its task is done",
      60_000,
      async () => /succeeded in/.test(await logOf("worker")) || undefined,
    );
    await bench.docker.run(["kill", "--signal", "STOP", worker]);
    const [beside, monitor] = await Promise.all(
      ["beside", "monitor"].map(async (service) =>
        untilStatus(bench.docker, await containerOf(service), "unhealthy", 90_000),
      ),
    );
    expect(beside?.runs.at(-1)?.output).toMatch(/^unhealthy: stopped: celery@\S+ is stopped: /);
    expect(monitor?.runs.at(-1)?.output).toMatch(/^unknown: undecided: 1 of 2 /);
    await bench.docker.run(["kill", "--signal", "CONT", worker]);
    await untilStatus(bench.docker, await containerOf("beside"), "healthy", 60_000);
    // It writes its lines once a minute. The first may come from a worker that is starting.
    await until(
      "the log of the monitor tells of a worker",
      60_000,
      async () => / node celery@\S+ state=alive/.test(await logOf("monitor")) || undefined,
    );
  });

  test("is restarted by autoheal if it has autoheal's label", async () => {
    const inside = await containerOf("inside");
    await bench.docker.run(["kill", "--signal", "STOP", inside]);
    // willfarrell/autoheal asks the engine like this, by its default label.
    const sick = ["--filter", "health=unhealthy", "--filter", "label=autoheal=true"];
    await until("the engine names it", 90_000, async () => {
      const listed = await bench.docker.run(["ps", "--quiet", "--no-trunc", ...sick]);
      return listed.split("\n").includes(inside) ? true : undefined;
    });
    await bench.docker.run(["restart", "--time", "1", inside]);
    await untilStatus(bench.docker, inside, "healthy", 90_000);
  });
});

async function containerOf(service: string): Promise<string> {
  return (await bench.docker.compose(project, ["ps", "--quiet", service])).trim();
}

async function logOf(service: string): Promise<string> {
  const { stdout, stderr } = await bench.docker.try(["logs", await containerOf(service)]);
  return stdout + stderr;
}
