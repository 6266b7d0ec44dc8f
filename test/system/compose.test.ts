import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { DockerBench } from "./bench.ts";
import type { ComposeProject } from "./docker.ts";
import { nextRuns, untilStatus } from "./health.ts";
import { ROOT } from "./probe-image.ts";
import { until } from "./until.ts";

const ALIVE = /^healthy: alive: celery@\S+ answered in [^\n]+\n?$/;
const NOT_ALIVE = /^unknown: undecided: no pong from celery@[^\n]+\n?$/;
/** As in the example: `-c 2`. */
const CHILDREN = 2;

let bench: DockerBench;
let example: ComposeProject;
let surviving: ComposeProject;

beforeAll(async () => {
  bench = await DockerBench.open();
  return () => bench.close();
});

// In this order: each scenario leaves the project as the next one needs it.
describe("the compose example", () => {
  beforeAll(async () => {
    const file = join(ROOT, "examples/compose/compose.yaml");
    example = {
      name: `celery-probe-example-${process.pid}`,
      files: [file],
      env: {
        PYTHON_IMAGE: bench.bases.python,
        REDIS_IMAGE: bench.bases.redis,
        PROBE_IMAGE: bench.probeImage,
      },
    };
    surviving = { ...example, files: [file, join(import.meta.dirname, "surviving-shell.compose.yaml")] };
    const removal = ["down", "--rmi", "local", "--volumes", "--remove-orphans", "--timeout", "1"];
    bench.atEnd(() => bench.docker.compose(example, removal));
    await bench.docker.compose(example, ["build"]);
    await bench.docker.compose(example, ["up", "--detach"]);
  });

  test.each(["worker", "solo"])(
    "shows %s as healthy, with one line that says so, when it has started",
    async (service) => {
      const { docker } = bench;
      const container = await containerOf(service);
      const health = await untilStatus(docker, container, "healthy", 90_000);
      const last = health.runs.at(-1);
      expect(last?.exitCode).toBe(0);
      expect(last?.output).toMatch(ALIVE);
      const hostname = await docker.run(["inspect", "--format", "{{.Config.Hostname}}", container]);
      expect(last?.output).toContain(`celery@${hostname} `);
    },
  );

  test("lets another container ask for a worker when it names the node", async () => {
    const { docker, probeImage } = bench;
    const hostname = await docker.run([
      "inspect",
      "--format",
      "{{.Config.Hostname}}",
      await containerOf("worker"),
    ]);
    const place = ["--network", `${example.name}_default`, "--env", "CELERY_BROKER_URL=redis://redis:6379/0"];
    const run = await docker.try(["run", "--rm", ...place, probeImage, "--node", `celery@${hostname}`]);
    expect(run.stdout).toMatch(ALIVE);
    expect(run.exitCode).toBe(0);
  });

  test("keeps the worker healthy when all its children are busy", async () => {
    const { docker } = bench;
    const container = await containerOf("worker");
    await untilStatus(docker, container, "healthy", 90_000);
    const submit = `from tasks import nap\nfor _ in range(${CHILDREN * 2}): nap.delay(600)`;
    await docker.run(["exec", container, "python", "-c", submit]);
    await until(`${CHILDREN} tasks run`, 60_000, async () =>
      (await runningTasks(container)) === CHILDREN ? true : undefined,
    );

    const runs = await nextRuns(docker, container, 3, 90_000);

    expect(runs.map((run) => run.exitCode)).toEqual([0, 0, 0]);
    for (const run of runs) expect(run.output).toMatch(ALIVE);
    expect(await runningTasks(container)).toBe(CHILDREN);
    await untilStatus(docker, container, "healthy", 1_000);
  });

  test("shows the worker as unhealthy, with one line that says why, when its processes were killed", async () => {
    const { docker } = bench;
    await docker.compose(surviving, ["up", "--detach", "--no-deps", "--timeout", "1", "worker"]);
    const container = await containerOf("worker");
    await untilStatus(docker, container, "healthy", 90_000);

    // From inside, as the engine's process numbers need not be those of this machine.
    await docker.run(["exec", container, "sh", "-c", 'kill -s KILL -- "-$(cat /tmp/worker.pid)"']);

    const health = await untilStatus(docker, container, "unhealthy", 60_000);
    const last = health.runs.at(-1);
    expect(last?.exitCode).toBe(1);
    expect(last?.output).toMatch(NOT_ALIVE);
    const running = await docker.run(["inspect", "--format", "{{.State.Running}}", container]);
    expect(running).toBe("true");
  });
});

async function containerOf(service: string): Promise<string> {
  const id = await bench.docker.compose(example, ["ps", "--quiet", service]);
  expect(id).toMatch(/^[0-9a-f]{64}$/);
  return id;
}

/** How many tasks the worker's children have in hand, asked in Celery's own way. */
async function runningTasks(container: string): Promise<number> {
  const words = [
    "exec",
    container,
    "sh",
    "-c",
    'celery -A tasks inspect active --json -d "celery@$(hostname)"',
  ];
  const { exitCode, stdout } = await bench.docker.try(words);
  if (exitCode !== 0) return 0;
  const replies: unknown = JSON.parse(stdout);
  return Object.values(replies as Record<string, unknown[]>).flat().length;
}
