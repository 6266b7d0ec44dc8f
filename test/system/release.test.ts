import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, inject, test } from "vitest";
import { hostTarget } from "../../build/targets.ts";
import { DockerBench } from "./bench.ts";
import { buildInClone, copyOfClone } from "./clone.ts";
import { LOCKED } from "./docker.ts";
import { healthOf, untilStatus } from "./health.ts";
import { ROOT, VERSION } from "./probe-image.ts";
import { until } from "./until.ts";

const NAME = `celery-probe-release-${process.pid}`;
const WHEEL = `celery_probe-${VERSION}-py3-none-${hostTarget("glibc").wheelTag}.whl`;
const NETWORK = ["--network", NAME];
const USER = ["--user", "10001:10001"];
const BROKER = ["--env", "CELERY_BROKER_URL=redis://redis:6379/0"];
const HEALTH = ["--health-interval", "2s", "--health-timeout", "10s", "--health-retries", "2"];
const ALIVE = /^healthy: alive: celery@\S+ answered in \d+ ms\n?$/;

/** An empty folder with the wheel. The test then runs the commands that a user types there. */
let folder: string;
let bench: DockerBench;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "celery-probe-release-"));
  bench = await DockerBench.open();
  const { docker, bases } = bench;
  bench.atEnd(() => {
    rmSync(folder, { recursive: true });
    return Promise.resolve();
  });
  cpSync(join(ROOT, "dist", WHEEL), join(folder, WHEEL));
  cpSync(join(ROOT, "examples/compose/tasks.py"), join(folder, "tasks.py"));
  const clone = join(folder, "clone");
  await copyOfClone(clone);
  for (const libc of ["glibc", "musl"] as const) {
    bench.atEnd(() => docker.run(["image", "rm", "--force", imageOf(libc)]));
    await buildInClone(clone, docker, inject("engine"), { tag: imageOf(libc), libc });
  }
  bench.atEnd(() => docker.run(["network", "rm", NAME]));
  await docker.run(["network", "create", NAME]);
  await run("redis", ["--network-alias", "redis", bases.redis]);
  return () => bench.close();
});

/** Each makes its own worker, and asks about it in its own way. */
describe.concurrent(
  "a worker is checked with an image that Docker alone built from a clone, or with a wheel",
  () => {
    test("by COPY --from", async () => {
      const image = await built("copy", [
        `FROM ${imageOf("glibc")} AS probe`,
        `FROM ${bench.bases.python}`,
        "COPY --from=probe /usr/local/bin/celery-probe /usr/local/bin/celery-probe",
      ]);
      await expectChecked(await startWorker("copy", image, ["--health-cmd", "celery-probe"]));
    });

    test("by pip install of the wheel", async () => {
      const image = await built("wheel", [
        `FROM ${bench.bases.python}`,
        `COPY ${WHEEL} /tmp/`,
        `RUN pip install --no-index --no-cache-dir /tmp/${WHEEL}`,
      ]);
      await expectChecked(await startWorker("wheel", image, ["--health-cmd", "celery-probe"]));
    });

    test.each(["glibc", "musl"] as const)(
      "by a sidecar of the image for %s, which has a health check",
      async (libc) => {
        const worker = await startWorker(`beside-${libc}`, bench.bases.python, []);
        const shared = ["--pid", `container:${worker}`, "--network", `container:${worker}`];
        const words = [...USER, ...LOCKED, ...HEALTH, imageOf(libc), "watch", "--interval", "10s"];
        const sidecar = await run(`sidecar-${libc}`, [...shared, ...words]);
        await expectChecked(sidecar, worker);
      },
    );
  },
);

test("the image for glibc has an executable that starts with compiled code", async () => {
  const version = ["run", "--rm", ...LOCKED, imageOf("glibc"), "--version", "--verbose"];
  expect(await bench.docker.run(version)).toMatch(/^celery-probe \S+\nNode 24\.\S+, .*, code cache used, /);
});

test("the image for musl has no shell and no other program, and its executable needs none", async () => {
  const { docker } = bench;
  const shell = await docker.try(["run", "--rm", "--entrypoint", "/bin/sh", imageOf("musl"), "-c", "true"]);
  expect(shell.exitCode).toBe(127);
  const version = await docker.run(["run", "--rm", ...LOCKED, imageOf("musl"), "--version", "--verbose"]);
  expect(version).toMatch(/^celery-probe \S+\nBun /);
  // musl looks up names.
  const ask = (host: string) =>
    docker.try([
      ...["run", "--rm", ...LOCKED, ...NETWORK, imageOf("musl")],
      ...["--broker", `redis://${host}:6379/0`, "--node", "celery@nobody", "--deadline", "10s"],
    ]);
  const [there, nowhere] = await Promise.all([ask("redis"), ask("nowhere.invalid")]);
  expect(there.stdout).toMatch(/^unknown: undecided: [^\n]*\/0\.celery\.pidbox/);
  expect(nowhere.stdout).toMatch(/^unknown: broker-unreachable: \S*nowhere\.invalid/);
  expect([there.exitCode, nowhere.exitCode]).toEqual([1, 1]);
});

function imageOf(what: string): string {
  return `${NAME}-image-${what}`;
}

async function built(what: string, dockerfile: readonly string[]): Promise<string> {
  const { docker } = bench;
  const file = join(folder, `Dockerfile.${what}`);
  writeFileSync(file, dockerfile.map((line) => `${line}\n`).join(""));
  writeFileSync(join(folder, ".dockerignore"), "*\n!*.whl\n");
  bench.atEnd(() => docker.run(["image", "rm", "--force", imageOf(what)]));
  await docker.run(["build", "--file", file, "--tag", imageOf(what), folder]);
  return imageOf(what);
}

/** A solo worker without rights. It is the container's process 1. */
async function startWorker(name: string, image: string, more: readonly string[]): Promise<string> {
  const application = ["--volume", `${join(folder, "tasks.py")}:/app/tasks.py:ro`, "--workdir", "/app"];
  const bare = ["--tmpfs", "/tmp", "--env", "PYTHONDONTWRITEBYTECODE=1"];
  const celery = ["celery", "-A", "tasks", "worker", "--pool", "solo", "-Q", name, "--loglevel", "info"];
  const health = more.length === 0 ? [] : [...HEALTH, ...more];
  return run(name, [...USER, ...LOCKED, ...BROKER, ...application, ...bare, ...health, image, ...celery]);
}

async function run(name: string, words: readonly string[]): Promise<string> {
  const container = `${NAME}-${name}`;
  bench.atEnd(() => bench.docker.run(["container", "rm", "--force", container]));
  const network = words.includes("--network") ? [] : NETWORK;
  await bench.docker.run(["run", "--detach", "--name", container, ...network, ...words]);
  return container;
}

/** Expects alive, busy while a task blocks the worker, and stopped when it is stopped. */
async function expectChecked(checked: string, worker = checked): Promise<void> {
  const { docker } = bench;
  const health = await untilStatus(docker, checked, "healthy", 60_000);
  expect(health.runs.at(-1)?.output).toMatch(ALIVE);
  const queue = worker.slice(NAME.length + 1);
  const submit = `from tasks import nap; nap.apply_async((12,), queue="${queue}")`;
  await docker.run(["exec", worker, "python", "-c", submit]);
  const last = async () => (await healthOf(docker, checked)).runs.at(-1);
  await until(
    `${checked} is busy`,
    30_000,
    async () => /^healthy: busy: /.test((await last())?.output ?? "") || undefined,
  );
  await until(
    `${checked} is alive again`,
    30_000,
    async () => ALIVE.test((await last())?.output ?? "") || undefined,
  );
  await docker.run(["kill", "--signal", "STOP", worker]);
  const sick = await untilStatus(docker, checked, "unhealthy", 60_000);
  expect(sick.runs.at(-1)?.output).toMatch(/^unhealthy: stopped: celery@\S+ is stopped: process 1 /);
}
