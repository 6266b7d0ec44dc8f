import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { TARGETS } from "../../build/targets.ts";
import { DockerBench } from "./bench.ts";
import { LOCKED } from "./docker.ts";
import { untilStatus } from "./health.ts";
import { buildArgs, buildProbeImage, ROOT, VERSION } from "./probe-image.ts";
import { until } from "./until.ts";

const EXECUTABLE = "/usr/local/bin/celery-probe";
const NAME = `celery-probe-sidecar-${process.pid}`;

let bench: DockerBench;
beforeAll(async () => {
  bench = await DockerBench.open();
  return () => bench.close();
});

describe("the sidecar image", () => {
  test("prints its version when it has no network, no capabilities and a read-only root", async () => {
    const { docker, probeImage } = bench;
    const run = await docker.try(["run", "--rm", "--network", "none", ...LOCKED, probeImage, "--version"]);
    expect(run).toEqual({ exitCode: 0, stdout: `celery-probe ${VERSION}`, stderr: "" });
  });

  test("runs as a numeric user other than root by default", async () => {
    const { docker, probeImage } = bench;
    const id = await docker.run(["run", "--rm", "--network", "none", "--entrypoint", "id", probeImage]);
    expect(id).toMatch(/^uid=65532 gid=65532\b/);
    expect(await docker.run(["image", "inspect", "--format", "{{.Config.User}}", probeImage])).toBe(
      "65532:65532",
    );
  });

  test.each(["glibc", "musl"] as const)("for %s carries labels and a health check", async (libc) => {
    const { docker, bases } = bench;
    const image = `${NAME}-${libc}`;
    bench.atEnd(() => docker.run(["image", "rm", "--force", image]));
    await buildProbeImage(docker, bases, image, libc);
    const config: unknown = JSON.parse(
      await docker.run(["image", "inspect", "--format", "{{json .Config}}", image]),
    );
    expect(config).toMatchObject({
      // Durations in nanoseconds.
      Healthcheck: {
        Test: ["CMD", EXECUTABLE],
        Interval: 30e9,
        Timeout: 10e9,
        StartPeriod: 30e9,
        Retries: 3,
      },
      Entrypoint: [EXECUTABLE],
      Labels: {
        "org.opencontainers.image.title": "celery-probe",
        "org.opencontainers.image.description": expect.stringContaining("Celery workers") as unknown,
        "org.opencontainers.image.licenses": "MIT",
        "org.opencontainers.image.version": VERSION,
      },
    });
  });

  test.each(TARGETS.filter(({ libc }) => libc === "musl"))(
    "for linux/$dockerArch has the executable of that platform",
    async ({ dockerArch }) => {
      const { docker } = bench;
      const image = `${NAME}-${dockerArch}`;
      bench.atEnd(() => docker.run(["image", "rm", "--force", image]));
      // There is no base for another platform here, and nothing is run.
      const values = buildArgs({ EXECUTABLE: "released", LIBC: "musl", MUSL_BASE: "scratch" });
      const options = ["--file", "Dockerfile.sidecar", "--platform", `linux/${dockerArch}`, ...values];
      await docker.build([...options, "--tag", image, "."], ROOT);
      const container = await docker.run(["create", "--platform", `linux/${dockerArch}`, image]);
      bench.atEnd(() => docker.run(["container", "rm", container]));
      const folder = mkdtempSync(join(tmpdir(), "celery-probe-platform-"));
      try {
        await docker.run(["cp", `${container}:${EXECUTABLE}`, folder]);
        const [copied, released] = [
          join(folder, "celery-probe"),
          `dist/linux-${dockerArch}-musl/celery-probe`,
        ];
        expect(readFileSync(copied).equals(readFileSync(join(ROOT, released)))).toBe(true);
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
  );

  test("gives the executable to another image that copies from it", async () => {
    const { docker, bases, probeImage } = bench;
    const image = `${NAME}-copy`;
    bench.atEnd(() => docker.run(["image", "rm", "--force", image]));
    const lines = [
      `FROM ${bases.python}`,
      `COPY --from=${probeImage} ${EXECUTABLE} ${EXECUTABLE}`,
      "USER 1000",
    ];
    await docker.run(["build", "--quiet", "--tag", image, "-"], lines.join("\n"));
    const run = await docker.run([
      "run",
      "--rm",
      "--network",
      "none",
      ...LOCKED,
      image,
      "celery-probe",
      "--version",
    ]);
    expect(run).toBe(`celery-probe ${VERSION}`);
  });

  test.each([
    ["install", (image: string) => [image, "install", "/shared/"]],
    ["cp", (image: string) => ["--entrypoint", "cp", image, EXECUTABLE, "/shared/"]],
  ] as const)("gives the executable to another container by %s as an init container", async (how, words) => {
    const { docker, bases, probeImage } = bench;
    const volume = `${NAME}-shared-${how}`;
    bench.atEnd(() => docker.run(["volume", "rm", "--force", volume]));
    // Kubernetes makes such an emptyDir: all users may write to it.
    const mount = ["--volume", `${volume}:/shared`];
    await docker.run(["run", "--rm", "--network", "none", ...mount, bases.slim, "chmod", "0777", "/shared"]);
    await docker.run(["run", "--rm", "--network", "none", ...LOCKED, ...mount, ...words(probeImage)]);
    const readOnly = ["--volume", `${volume}:/shared:ro`, "--user", "1000"];
    const ask = [bases.python, "/shared/celery-probe", "--version"];
    const run = await docker.run(["run", "--rm", "--network", "none", ...LOCKED, ...readOnly, ...ask]);
    expect(run).toBe(`celery-probe ${VERSION}`);
  });
});

test("the image of serve reports itself healthy without a broker and without any rights", async () => {
  const { docker } = bench;
  const image = await bench.buildServeImage(`${NAME}-serve`);
  const container = `${NAME}-serve`;
  bench.atEnd(() => docker.run(["container", "rm", "--force", container]));
  const env = ["--env", "CELERY_PROBE_BROKER=redis://127.0.0.1:1/0"];
  const often = ["--health-interval", "1s"];
  await docker.run([
    ...["run", "--detach", "--name", container, "--network", "none", ...LOCKED, ...env, ...often, image],
  ]);
  const { runs } = await untilStatus(docker, container, "healthy", 30_000);
  expect(runs.at(-1)?.output).toBe("healthy: celery-probe is running\n");
  expect(await docker.run(["logs", container])).toMatch(/^listening on http:\/\/0\.0\.0\.0:9540\n/);
  expect(await docker.run(["exec", container, "id", "-u"])).toBe("65532");
});

describe("the sidecar image as its own container", () => {
  beforeAll(async () => {
    const { docker, bases } = bench;
    bench.atEnd(() => docker.run(["network", "rm", NAME]));
    await docker.run(["network", "create", NAME]);
    bench.atEnd(() => docker.run(["container", "rm", "--force", NAME]));
    await docker.run([
      "run",
      "--detach",
      "--name",
      NAME,
      "--network",
      NAME,
      "--network-alias",
      "redis",
      bases.redis,
    ]);
    await until("Redis answers", 30_000, async () => {
      const { stdout } = await docker.try(["exec", NAME, "redis-cli", "ping"]);
      return stdout === "PONG" ? stdout : undefined;
    });
  });

  test("is undecided and exits 1 without a subscriber", async () => {
    const run = await ask("redis://redis:6379/0");
    expect(run.stdout).toMatch(/^unknown: undecided: [^\n]+$/);
    expect(run.exitCode).toBe(1);
  });

  test("names the broker and exits 1 when nothing listens there", async () => {
    const run = await ask("redis://redis:6380/0");
    expect(run.stdout).toMatch(/^unknown: broker-unreachable: [^\n]*redis:6380[^\n]*$/);
    expect(run.exitCode).toBe(1);
  });
});

function ask(broker: string): ReturnType<DockerBench["docker"]["try"]> {
  const place = ["--network", NAME, "--env", `CELERY_BROKER_URL=${broker}`];
  return bench.docker.try(["run", "--rm", ...LOCKED, ...place, bench.probeImage]);
}
