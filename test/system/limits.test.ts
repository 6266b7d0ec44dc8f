import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import type { Code } from "../../src/doctor/finding.ts";
import { readFindings, saying } from "../e2e/doctor/diagnose.ts";
import { DockerBench } from "./bench.ts";
import { ROOT } from "./probe-image.ts";
import { until } from "./until.ts";

const NAME = `celery-probe-limits-${process.pid}`;
const IMAGE = `${NAME}-worker`;

let bench: DockerBench;

beforeAll(async () => {
  bench = await DockerBench.open();
  const { docker, bases, probeImage } = bench;
  bench.atEnd(() => docker.run(["image", "rm", "--force", IMAGE]));
  const lines = [
    `FROM ${bases.python}`,
    `COPY --from=${probeImage} /usr/local/bin/celery-probe /usr/local/bin/celery-probe`,
    "COPY greedy_tasks.py /app/",
    "WORKDIR /app",
    "USER 10001:10001",
    "ENV PYTHONDONTWRITEBYTECODE=1 CELERY_BROKER_URL=redis://redis:6379/0",
  ];
  const file = ["--file", "-", join(ROOT, "test/system")];
  await docker.run(["build", "--tag", IMAGE, ...file], lines.join("\n"));
  bench.atEnd(() => docker.run(["network", "rm", NAME]));
  await docker.run(["network", "create", NAME]);
  await run("redis", ["--network-alias", "redis", bases.redis]);
  return () => bench.close();
});

test("limits that are not reached give no warning, and nearly full memory gives one", async () => {
  const limitMb = 1_200;
  const limits = ["--memory", `${limitMb}m`, "--memory-swap", `${limitMb}m`, "--cpus", "2"];
  const worker = await startWorker("full", limits);
  const before = await diagnose(worker);
  expect(before.of("memory")).toMatchObject([
    { level: "ok", seen: saying(/; the container [\d.]+ MB of 1\.\d+ GB/) },
  ]);
  expect(before.of("oom-kills")).toMatchObject([{ level: "ok", seen: "none in this container" }]);
  expect(before.of("cpu")).toMatchObject([{ level: "ok" }]);
  expect(before.exitCode).toBe(0);

  // The rest of the memory is for the doctor, which also uses some.
  const heldMb = Math.round(0.93 * limitMb - (await usedMb(worker)));
  await submit(worker, "hold", heldMb, 120);
  await until("the memory is held", 60_000, async () => (await usedMb(worker)) > 0.92 * limitMb || undefined);
  const full = await diagnose(worker);
  expect(full.of("memory")).toMatchObject([{ level: "warning", next: saying(/^more memory, /) }]);
  expect(full.of("oom-kills")).toMatchObject([{ level: "ok" }]);
});

test("a child that the kernel has killed because memory was full is a problem, and stays one", async () => {
  const worker = await startWorker("killed", ["--memory", "400m", "--memory-swap", "400m"]);
  await submit(worker, "hold", 600, 60);
  await until(
    "its child was killed",
    60_000,
    async () => /signal 9 \(SIGKILL\)/.test(await logOf(worker)) || undefined,
  );
  const { of, exitCode } = await diagnose(worker);
  expect(of("oom-kills")).toMatchObject([
    { level: "problem", seen: saying(/^the kernel has killed [1-9]\d* process(?:es)? of this container/) },
  ]);
  expect(exitCode).toBe(1);
  expect(of("worker")).toMatchObject([{ level: "ok" }]);
});

test("a small CPU limit that the doctor's own start exceeds is no warning", async () => {
  const worker = await startWorker("idle", []);
  // When the doctor has begun to look, it may need less than a tenth of a core.
  await bench.docker.run(["update", "--cpus", "0.04", worker]);
  const { of } = await diagnose(worker, ["--deadline", "120s"]);
  expect(of("cpu")).toMatchObject([{ level: "ok", seen: saying(/the container was held back/) }]);
}, 240_000);

test("a container that its CPU limit holds back is a warning", async () => {
  const worker = await startWorker("throttled", []);
  // With less, its start would take half a minute.
  await bench.docker.run(["update", "--cpus", "0.1", worker]);
  await submit(worker, "spin", 300);
  // The doctor has no more of a core than the worker.
  const { of } = await diagnose(worker, ["--deadline", "120s"]);
  expect(of("cpu")).toMatchObject([
    {
      level: "warning",
      seen: saying(/; the container was held back [1-9]\d* times \(its CPU limit\)/),
      next: "a higher CPU limit, or a lower --concurrency",
    },
  ]);
  expect(of("oom-kills")).toMatchObject([{ level: "ok" }]);
}, 240_000);

async function run(name: string, words: readonly string[]): Promise<string> {
  const container = `${NAME}-${name}`;
  bench.atEnd(() => bench.docker.run(["container", "rm", "--force", container]));
  await bench.docker.run(["run", "--detach", "--name", container, "--network", NAME, ...words]);
  return container;
}

/** A worker with one child and its own queue. Resolves when it answers. */
async function startWorker(queue: string, limits: readonly string[]): Promise<string> {
  const command = ["celery", "-A", "greedy_tasks", "worker", "-c", "1", "-Q", queue];
  const worker = await run(queue, [...limits, IMAGE, ...command]);
  await until("the worker answers", 60_000, async () => {
    const { exitCode } = await bench.docker.try(["exec", worker, "celery-probe"]);
    return exitCode === 0 || undefined;
  });
  return worker;
}

/** Uses a container without limits, so that only the worker is measured. */
async function submit(worker: string, task: string, ...args: readonly number[]): Promise<void> {
  const queue = worker.slice(NAME.length + 1);
  const call = `${task}.apply_async([${args.join()}], queue="${queue}")`;
  const python = ["python", "-c", `from greedy_tasks import ${task}; ${call}`];
  await bench.docker.run(["run", "--rm", "--network", NAME, IMAGE, ...python]);
}

/** The memory that the kernel counts for a container and cannot free at once, in MiB. */
async function usedMb(container: string): Promise<number> {
  const script = [
    "cd /sys/fs/cgroup && if [ -e memory.current ]; then cat memory.current && grep ^inactive_file memory.stat; else",
    "cat memory/memory.usage_in_bytes && grep ^total_inactive_file memory/memory.stat; fi",
  ].join("\n");
  const said = await bench.docker.run(["exec", container, "sh", "-c", script]);
  const [used, inactive] = said.split("\n").map((line) => Number(line.replace(/^\w+ /, "")));
  return ((used ?? NaN) - (inactive ?? NaN)) / 2 ** 20;
}

async function logOf(container: string): Promise<string> {
  const { stdout, stderr } = await bench.docker.try(["logs", container]);
  return stdout + stderr;
}

/** The doctor's output in the container, by docker exec. */
async function diagnose(container: string, args: readonly string[] = []) {
  const words = ["exec", container, "celery-probe", "doctor", "--output", "json", ...args];
  const { stdout, stderr, exitCode } = await bench.docker.try(words);
  if (stdout === "") throw new Error(`no findings: ${stderr}`);
  const findings = readFindings(stdout);
  return { exitCode, of: (code: Code) => findings.filter((one) => one.code === code) };
}
