import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { DockerBench } from "./bench.ts";
import { unpacked } from "./debian.ts";
import type { ComposeProject, Run } from "./docker.ts";
import { nextRuns, untilStatus } from "./health.ts";
import { ROOT } from "./probe-image.ts";
import { until } from "./until.ts";

const ALIVE = /^healthy: alive: celery@\S+ answered in [^\n]+\n?$/;
const BUSY =
  /^healthy: busy: celery@\S+ silent for (\d+) s, less than the \d+ s grace \(process 1 running, \d+ connections\)\n?$/;
const HUNG = /^unhealthy: hung: celery@\S+ silent for \d+ s, longer than the 15 s grace [^\n]+\n?$/;
const STOPPED = /^unhealthy: stopped: celery@\S+ is stopped: process 1 was sent SIGSTOP [^\n]+\n?$/;
const DEAD =
  /^unhealthy: dead: celery@\S+ is not running: (?:there is no worker process here|only a zombie is left here[^;]+); hint: [^\n]+\n?$/;
/** As in the example: `-c 2`. */
const CHILDREN = 2;

let bench: DockerBench;
let example: ComposeProject;
let surviving: ComposeProject;
let hurried: ComposeProject;

beforeAll(async () => {
  bench = await DockerBench.open();
  return () => bench.close();
});

// The order matters: each scenario leaves the project in the state that the next one needs.
describe("the compose example", () => {
  beforeAll(async () => {
    const name = `celery-probe-example-${process.pid}`;
    const here = (file: string) => join(import.meta.dirname, file);
    const files = [
      ...["compose.yaml", "monitoring.yaml"].map((file) => join(ROOT, "examples/compose", file)),
      here("debian-prometheus.compose.yaml"),
    ];
    example = {
      ...{ name, files },
      env: {
        PYTHON_IMAGE: bench.bases.python,
        REDIS_IMAGE: bench.bases.redis,
        PROBE_IMAGE: bench.probeImage,
        SERVE_IMAGE: await bench.buildServeImage(`${name}-serve`),
        PROMETHEUS_IMAGE: bench.bases.slim,
        DEBIAN_PROMETHEUS: join(await unpacked("prometheus"), "usr/bin"),
        // Any free port.
        PAGE_PORT: "0",
        PROMETHEUS_PORT: "0",
      },
    };
    surviving = { ...example, files: [...files, here("surviving-shell.compose.yaml")] };
    hurried = { ...example, files: [...files, here("hurried.compose.yaml")] };
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

  // Two services that do not affect each other. They run together, because the task takes a minute.
  describe.concurrent("at work", () => {
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

    test("keeps the solo worker healthy, as busy, when a task blocks it for a minute", async () => {
      const { docker } = bench;
      const container = await containerOf("solo");
      await untilStatus(docker, container, "healthy", 90_000);
      await blockSolo(container, 60);

      const runs = await nextRuns(docker, container, 4, 55_000);

      expect(runs.map((run) => run.exitCode)).toEqual([0, 0, 0, 0]);
      const silences = runs.map((run) => Number(BUSY.exec(run.output)?.[1] ?? run.output));
      expect(silences).toEqual([...silences].sort((a, b) => a - b));
      expect(silences.at(-1)).toBeGreaterThan(30);
      expect(await logOf(container)).not.toMatch(SUCCEEDED);
      await until("the task ends", 60_000, async () => SUCCEEDED.exec(await logOf(container)) ?? undefined);
      const [after] = await nextRuns(docker, container, 1, 30_000);
      expect(after?.output).toMatch(ALIVE);
    });
  });

  test("has a page with both workers, and a Prometheus that knows both", async () => {
    const monitor = await containerOf("monitor");
    await until("both are watched", 60_000, async () => {
      const { exitCode } = await ask(monitor, "/fleet?min=2");
      return exitCode === 0 ? true : undefined;
    });
    const read = "import urllib.request as u; print(u.urlopen('http://monitor:9540/').read(15).decode())";
    const page = await bench.docker.run(["exec", await containerOf("solo"), "python", "-c", read]);
    expect(page).toMatch(/^<!doctype html>/i);
    const prometheus = await containerOf("prometheus");
    const query = ["/debian/promtool", "query", "instant", "http://localhost:9090"];
    // Prometheus asks every 30 s.
    await until("Prometheus has both workers", 60_000, async () => {
      const words = ["exec", prometheus, ...query, 'sum(celery_worker_up{namespace="compose"})'];
      return /=> 2 @/.test((await bench.docker.try(words)).stdout) || undefined;
    });
  });

  test("shows the solo worker as busy, then as hung, when a task blocks it for longer than the grace", async () => {
    const { docker } = bench;
    const impatient = { ...hurried, env: { ...hurried.env, CELERY_PROBE_BUSY_GRACE: "15s" } };
    await docker.compose(impatient, ["up", "--detach", "--no-deps", "--timeout", "1", "solo", "monitor"]);
    const container = await containerOf("solo");
    await untilStatus(docker, container, "healthy", 90_000);
    const hostname = await docker.run(["inspect", "--format", "{{.Config.Hostname}}", container]);
    const monitor = await containerOf("monitor");
    // A worker that was never heard is unknown, however long it is silent.
    await until("the monitor has heard it", 30_000, async () =>
      (await ask(monitor, `/readyz/celery@${hostname}`)).exitCode === 0 ? true : undefined,
    );
    await blockSolo(container, 600);

    const [first] = await nextRuns(docker, container, 1, 30_000);
    expect(first?.output).toMatch(BUSY);
    expect(first?.exitCode).toBe(0);
    const health = await untilStatus(docker, container, "unhealthy", 60_000);
    const last = health.runs.at(-1);
    expect(last?.output).toMatch(HUNG);
    expect(last?.exitCode).toBe(1);
    const path = `/livez/celery@${hostname}`;
    const seen = await until(
      "the monitor says so",
      30_000,
      async () => {
        const answer = await ask(monitor, path);
        return answer.exitCode === 1 ? answer : undefined;
      },
      async () => (await ask(monitor, path)).stdout + (await logOf(monitor)),
    );
    expect(seen.stdout).toMatch(/^unhealthy: hung: celery@\S+: silent for [^\n]+; hint: [^\n]+$/);
  });

  test("shows the solo worker as unhealthy while its process is stopped", async () => {
    const { docker } = bench;
    await docker.compose(hurried, ["up", "--detach", "--no-deps", "--timeout", "1", "solo"]);
    const container = await containerOf("solo");
    await untilStatus(docker, container, "healthy", 90_000);

    await docker.run(["kill", "--signal", "STOP", container]);

    const health = await untilStatus(docker, container, "unhealthy", 60_000);
    const last = health.runs.at(-1);
    expect(last?.output).toMatch(STOPPED);
    expect(last?.exitCode).toBe(1);
    await docker.run(["kill", "--signal", "CONT", container]);
    const healed = await untilStatus(docker, container, "healthy", 60_000);
    expect(healed.runs.at(-1)?.output).toMatch(ALIVE);
  });

  test("shows the worker as unhealthy, with one line of reason, after its processes were killed", async () => {
    const { docker } = bench;
    await docker.compose(surviving, ["up", "--detach", "--no-deps", "--timeout", "1", "worker"]);
    const container = await containerOf("worker");
    await untilStatus(docker, container, "healthy", 90_000);

    // From inside, because the engine's process numbers may differ from this machine's.
    await docker.run(["exec", container, "sh", "-c", 'kill -s KILL -- "-$(cat /tmp/worker.pid)"']);

    const health = await untilStatus(docker, container, "unhealthy", 60_000);
    const last = health.runs.at(-1);
    expect(last?.exitCode).toBe(1);
    expect(last?.output).toMatch(DEAD);
    const running = await docker.run(["inspect", "--format", "{{.State.Running}}", container]);
    expect(running).toBe("true");
  });
});

async function containerOf(service: string): Promise<string> {
  const id = await bench.docker.compose(example, ["ps", "--quiet", service]);
  expect(id).toMatch(/^[0-9a-f]{64}$/);
  return id;
}

/** The answer of `serve` in a container to its own health check. */
function ask(container: string, path: string): Promise<Run> {
  return bench.docker.try(["exec", container, "celery-probe", "serve", "--ask", path]);
}

const SUCCEEDED = /Task tasks\.nap\[[^\]]+\] succeeded/;

/** Sends the solo worker a task that sleeps. Resolves when the worker has started it and so answers nothing. */
async function blockSolo(container: string, seconds: number): Promise<void> {
  const submit = `from tasks import nap; nap.apply_async((${seconds},), queue="solo")`;
  await bench.docker.run(["exec", container, "python", "-c", submit]);
  await until(
    "the task is received",
    30_000,
    async () => /Task tasks\.nap\[[^\]]+\] received/.exec(await logOf(container)) ?? undefined,
  );
}

/** The output of the container's process 1. Celery writes to stderr. */
async function logOf(container: string): Promise<string> {
  const { stdout, stderr } = await bench.docker.try(["logs", container]);
  return stdout + stderr;
}

/** How many tasks the worker's children run, asked in Celery's own way. */
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
