import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { beforeAll, describe, expect, test } from "vitest";
import { cached } from "../world/cache.ts";
import { DockerBench } from "./bench.ts";
import { installMissing, searchPath } from "./debian.ts";
import { ROOT } from "./probe-image.ts";
import { until } from "./until.ts";

const FOLDER = join(ROOT, "examples/systemd");
const UNITS = readdirSync(FOLDER).filter((file) => file !== "README.md");
const INSTALLED = "/etc/systemd/system";
const NAME = `celery-probe-systemd-${process.pid}`;
const NODE = "worker@web-1";
const BROKER = "redis://127.0.0.1:6379/0";

/** The Debian packages that the worker's unit and systemd itself need. */
const PACKAGES = "systemd,python3,redis-server";
const SUITE = "bookworm";

/** Units that belong to a machine and not to a container. */
const MASKED = [
  ...["systemd-sysctl.service", "systemd-modules-load.service", "getty.target", "console-getty.service"],
  ...["dev-hugepages.mount", "sys-fs-fuse-connections.mount"],
];

/**
 * systemd as process 1, with its own control group, below which it makes others. If only version 2 exists, the group
 * must be writable.
 */
const SYSTEMD = [
  ...["--hostname", "web-1", "--cgroupns", "private", "--cap-add", "SYS_ADMIN"],
  ...["--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined"],
  ...["--tmpfs", "/run", "--tmpfs", "/run/lock", "--tmpfs", "/tmp", "--env", "container=docker"],
];
const BOOT =
  "[ ! -e /sys/fs/cgroup/cgroup.controllers ] || mount -o remount,rw /sys/fs/cgroup; exec /lib/systemd/systemd";

/** A test must see in seconds what takes minutes. The three tries and the logic between them stay the same. */
const HURRIED = "[Timer]\nOnActiveSec=\nOnActiveSec=1s\nOnUnitInactiveSec=2s\n";

let bench: DockerBench;

beforeAll(async () => {
  bench = await DockerBench.open();
  const { docker } = bench;
  const image = await systemdImage();
  bench.atEnd(() => docker.run(["container", "rm", "--force", NAME]));
  await docker.run(["run", "--detach", "--name", NAME, ...SYSTEMD, image, "/bin/sh", "-c", BOOT]);
  await until("systemd has started", 60_000, async () => {
    const { stdout } = await docker.try(["exec", NAME, "systemctl", "is-system-running"]);
    return /^(?:running|degraded)$/.test(stdout) || undefined;
  });
  await docker.run(["exec", "--detach", NAME, "redis-server", "--save", "", "--dir", "/tmp"]);
  return () => bench.close();
});

/** Debian with systemd, Redis, the worker that the units start, and the units. */
async function systemdImage(): Promise<string> {
  const { docker, bases, probeImage } = bench;
  await installMissing({ mmdebstrap: "mmdebstrap" });
  const folder = await cached("systemd-root", `Debian ${SUITE} with systemd`, { PACKAGES, SUITE }, (fresh) =>
    execa("mmdebstrap", ["--variant=minbase", `--include=${PACKAGES}`, SUITE, join(fresh, "root.tar")], {
      env: { PATH: searchPath() },
      stdin: "ignore",
    }).then(() => undefined),
  );
  const root = `${NAME}-root`;
  bench.atEnd(() => docker.run(["image", "rm", "--force", root, NAME]));
  const path = "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  await docker.run(["import", "--change", path, join(folder, "root.tar"), root]);
  const lines = [
    `FROM ${root}`,
    `COPY --from=${bases.python} /opt/venv /opt/venv`,
    `COPY --from=${probeImage} /usr/local/bin/celery-probe /usr/local/bin/celery-probe`,
    "COPY compose/tasks.py /srv/app/tasks.py",
    `COPY systemd ${INSTALLED}`,
    `RUN ln -s /opt/venv /srv/app/venv && useradd --system celery && systemctl mask ${MASKED.join(" ")}`,
  ];
  await docker.run(["build", "--tag", NAME, "--file", "-", join(ROOT, "examples")], lines.join("\n"));
  return NAME;
}

describe("systemd-analyze verify", () => {
  test.each(UNITS)("has no complaint about %s", async (unit) => {
    expect(await verified(`${INSTALLED}/${unit}`)).toEqual({ exitCode: 0, stdout: "", stderr: "" });
  });

  test.each([
    ["worker.service", "Restart=always", "Restart=allways", /Failed to parse service restart specifier/],
    ["worker.service", "bin/celery ", "bin/celeryd ", /bin\/celeryd is not executable/],
    [
      "worker-probe.service",
      "/usr/bin/systemctl",
      "/usr/sbin/systemctl",
      /sbin\/systemctl is not executable/,
    ],
    ["worker-probe.timer", "OnUnitInactiveSec", "OnInactiveSec", /Unknown key 'OnInactiveSec'/],
    ["worker-restart.service", "Type=oneshot", "Type=once", /Failed to parse service type/],
  ])("would say that in %s %s is %s", async (unit, right, wrong, words) => {
    const text = readFileSync(join(FOLDER, unit), "utf8");
    expect(text).toContain(right);
    const path = `/tmp/planted/${unit}`;
    await write(path, text.replace(right, wrong));
    const { exitCode, stderr } = await verified(path);
    expect(stderr).toMatch(words);
    expect(exitCode).toBe(1);
  });
});

// The order matters: each test leaves the worker in the state that the next one needs.
describe("what systemd does with the units", () => {
  beforeAll(async () => {
    // One process for everything; otherwise no worker is busy. Its log shows when a task is done.
    const [command = ""] = /^ExecStart=.*$/m.exec(readFileSync(join(FOLDER, "worker.service"), "utf8")) ?? [];
    const solo = command.replace("-c 2", "-P solo -l info");
    expect(solo).not.toBe(command);
    await write(`${INSTALLED}/worker.service.d/solo.conf`, `[Service]\nExecStart=\n${solo}\n`);
    await write(`${INSTALLED}/worker-probe.timer.d/hurried.conf`, HURRIED);
    await systemctl("daemon-reload");
    await systemctl("enable", "--now", "worker.service", "worker-probe.timer");
  });

  test("the worker answers", async () => {
    await untilSaid(new RegExp(`^healthy: alive: ${NODE} answered in `, "m"), 0);
  });

  test("a busy worker is left alone, for longer than a restart would take", async () => {
    const pid = await mainPid();
    const submit = "from tasks import nap; nap.delay(45)";
    await inside(
      "/bin/sh",
      "-c",
      `cd /srv/app && CELERY_BROKER_URL=${BROKER} exec venv/bin/python -B -c '${submit}'`,
    );
    await untilSaid(/^healthy: busy: /m, 0);
    await until(
      "its task is done",
      90_000,
      async () => /succeeded in/.test(await journal("worker.service")) || undefined,
    );
    expect(await mainPid()).toBe(pid);
    expect(await journal("worker-restart.service")).not.toMatch(/^Starting /m);
    expect(await journal("worker-probe.service")).not.toMatch(/^unhealthy/m);
  });

  test("a stopped worker is restarted after three tries", async () => {
    const pid = await mainPid();
    const from = (await journal("worker-probe.service")).length;
    const began = performance.now();
    await systemctl("kill", "--kill-who=main", "--signal=SIGSTOP", "worker.service");
    await until("it is another process", 120_000, async () => {
      const now = await mainPid();
      return (now !== "0" && now !== pid) || undefined;
    });
    expect(performance.now() - began).toBeLessThan(60_000);
    const said = (await journal("worker-probe.service")).slice(from);
    expect(said.match(/^unhealthy: stopped: worker@web-1 is stopped: /gm)).toHaveLength(3);
    expect(await journal("worker-restart.service")).toMatch(/^Starting /m);
    // The probe has restarted it. It has not ended by itself.
    expect(await shown("NRestarts")).toBe("0");
    await untilSaid(/^healthy: alive: /m, from + said.lastIndexOf("unhealthy: stopped"));
  });

  test("a worker that ends is started again by systemd itself", async () => {
    await systemctl("kill", "--kill-who=main", "--signal=SIGKILL", "worker.service");
    await until("it is restarted", 60_000, async () => (await shown("NRestarts")) === "1" || undefined);
    await untilSaid(/^healthy: alive: /m, (await journal("worker-probe.service")).length);
  });

  test("a worker that was stopped on purpose stays stopped, and is probed again after its start", async () => {
    await systemctl("stop", "worker.service");
    const restarts = (await journal("worker-restart.service")).length;
    const from = (await journal("worker-probe.service")).length;
    await until("the timer has come twice", 60_000, async () => {
      const said = (await journal("worker-probe.service")).slice(from);
      return (said.match(/Skipped due to 'exec-condition'/g) ?? []).length >= 2 || undefined;
    });
    expect(await shown("ActiveState")).toBe("inactive");
    expect((await journal("worker-restart.service")).length).toBe(restarts);
    expect((await journal("worker-probe.service")).slice(from)).not.toMatch(/^(?:un)?healthy|^unknown/m);
    await systemctl("start", "worker.service");
    await untilSaid(/^healthy: alive: /m, from);
  });
});

function inside(...words: readonly string[]): Promise<string> {
  return bench.docker.run(["exec", NAME, ...words]);
}

function systemctl(...words: readonly string[]): Promise<string> {
  return inside("systemctl", ...words);
}

function verified(path: string): ReturnType<DockerBench["docker"]["try"]> {
  return bench.docker.try([
    "exec",
    NAME,
    "systemd-analyze",
    "verify",
    "--man=no",
    "--recursive-errors=yes",
    path,
  ]);
}

async function write(path: string, text: string): Promise<void> {
  const script = `mkdir -p "$(dirname ${path})" && cat > ${path}`;
  await bench.docker.run(["exec", "--interactive", NAME, "sh", "-c", script], text);
}

/** The output of a unit, and systemd's messages about it, the oldest first. */
function journal(unit: string): Promise<string> {
  return inside("journalctl", "--no-pager", "--output=cat", "--unit", unit);
}

/** Waits until the probe prints this, in the part of its journal after `from`. */
async function untilSaid(words: RegExp, from: number): Promise<void> {
  const said = async () => (await journal("worker-probe.service")).slice(from);
  await until(`the probe says ${words}`, 60_000, async () => words.test(await said()) || undefined, said);
}

function shown(property: string): Promise<string> {
  return systemctl("show", "--value", "--property", property, "worker.service");
}

function mainPid(): Promise<string> {
  return shown("MainPID");
}
