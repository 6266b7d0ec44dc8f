import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { DockerBench } from "./bench.ts";
import type { ComposeProject } from "./docker.ts";
import { ROOT } from "./probe-image.ts";
import { until } from "./until.ts";

let bench: DockerBench;

beforeAll(async () => {
  bench = await DockerBench.open();
  return () => bench.close();
});

/** The folder, the service that runs the doctor, and the problem that the doctor must name first. */
test.each([
  ["blocked", "worker", "worker", /prefork/],
  ["limits", "worker", "time-limits", /soft below hard/],
  ["no-work", "worker", "standstill", /2 of 2 slots are free/],
  ["password", "worker", "broker", /WRONGPASS/],
  ["queue", "worker", "queues-consumed", /mails.*\n.*mials/],
  ["two-beats", "beat", "beat-processes", /2 beats run here/],
])("the doctor names what is wrong with examples/broken/%s", async (folder, service, code, words) => {
  const { docker } = bench;
  const project: ComposeProject = {
    name: `celery-probe-broken-${folder}-${process.pid}`,
    files: [join(ROOT, "examples/broken", folder, "compose.yaml")],
    env: {
      PYTHON_IMAGE: bench.bases.python,
      REDIS_IMAGE: bench.bases.redis,
      PROBE_IMAGE: bench.probeImage,
    },
  };
  bench.atEnd(() =>
    docker.compose(project, ["down", "--rmi", "local", "--volumes", "--remove-orphans", "--timeout", "1"]),
  );
  await docker.compose(project, ["up", "--build", "--detach"]);
  const container = (await docker.compose(project, ["ps", "--quiet", service])).trim();

  // The problem takes a moment to happen.
  const said = await until(`${code} is named first`, 60_000, async () => {
    const { stdout, exitCode } = await docker.try(["exec", container, "celery-probe", "doctor"]);
    // While an image is built at the same time, a first run may not have enough time for everything.
    return stdout.includes(`\nfirst: ${code}: `) && words.test(stdout) ? { stdout, exitCode } : undefined;
  });

  const bad = said.stdout.split("\n").filter((one) => /^(?:PROBLEM|warning)/.test(one));
  // If a parallel build of an image keeps a worker from answering, the doctor warns about it. That is not the cause.
  const [line] = bad.filter((one) => code === "worker" || !one.includes(" worker "));
  expect(line).toContain(` ${code}`);
  expect(said.stdout).not.toContain("wrong");
  expect(said.exitCode).toBe(code === "worker" ? 0 : 1);
});
