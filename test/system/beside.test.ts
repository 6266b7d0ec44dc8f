import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { DockerBench } from "./bench.ts";
import { LOCKED, type Run } from "./docker.ts";
import { ROOT } from "./probe-image.ts";
import { until } from "./until.ts";

const NAME = `celery-probe-beside-${process.pid}`;
const REDIS = `${NAME}-redis`;
const WORKER = `${NAME}-worker`;
const BROKER = ["--env", "CELERY_BROKER_URL=redis://redis:6379/0"];
/** The worker's user and group. The kernel compares both before it shows one process the descriptors of the other. */
const USER = ["--user", "10001:10001"];
/** The network namespace also brings the host name. The name of the worker's node contains it. */
const SHARING = ["--pid", `container:${WORKER}`, "--network", `container:${WORKER}`];

/**
 * The container survives the death of this worker, as under an init system. The shell reaps the worker, as an init
 * does.
 */
const SURVIVING =
  "celery -A tasks worker --loglevel info --pool solo & echo $! > /tmp/worker.pid; wait; exec sleep infinity";

let bench: DockerBench;
let node: string;

beforeAll(async () => {
  bench = await DockerBench.open();
  const { docker, bases } = bench;
  bench.atEnd(() => docker.run(["network", "rm", NAME]));
  await docker.run(["network", "create", NAME]);
  bench.atEnd(() => docker.run(["container", "rm", "--force", REDIS, WORKER]));
  const place = ["--network", NAME];
  await docker.run([
    ...["run", "--detach", "--name", REDIS, ...place, "--network-alias", "redis", bases.redis],
  ]);
  const application = ["--volume", `${join(ROOT, "examples/compose")}:/app:ro`, "--workdir", "/app"];
  const words = ["--env", "PYTHONDONTWRITEBYTECODE=1", bases.python, "sh", "-c", SURVIVING];
  await docker.run([
    ...["run", "--detach", "--name", WORKER, ...place, ...USER, ...BROKER, ...application, ...words],
  ]);
  node = `celery@${await docker.run(["inspect", "--format", "{{.Config.Hostname}}", WORKER])}`;
  await untilLogged(/ ready\./);
  return () => bench.close();
});

// The order matters: each scenario leaves the worker in the state that the next one needs.
describe("the sidecar image beside the worker, in its PID and network namespace", () => {
  test("needs no arguments and no environment when it runs as the worker's user", async () => {
    const run = await ask([...SHARING, ...USER]);
    expect(run.stdout).toMatch(new RegExp(`^healthy: alive: ${node} answered in [^\\n]+$`));
    expect(run.exitCode).toBe(0);
  });

  test("says that it is beside the worker, and sees its processes", async () => {
    const run = await ask([...SHARING, ...USER], "--verbose");
    expect(run.stdout).toMatch(/^ {2}placement: {3}beside: workers' processes can be seen$/m);
  });

  test("finds the worker frozen when its container is paused", async () => {
    const { docker } = bench;
    await docker.run(["pause", WORKER]);
    const run = await ask([...SHARING, ...USER]);
    await docker.run(["unpause", WORKER]);
    expect(run.stdout).toMatch(new RegExp(`^unhealthy: stopped: ${node} is frozen by its cgroup [^\\n]+$`));
    expect(run.exitCode).toBe(1);
  });

  test("finds the worker busy when a task blocks it", async () => {
    await inWorker("python", "-c", "from tasks import nap; nap.delay(600)");
    await untilLogged(/Task tasks\.nap\[[^\]]+\] received/);
    const run = await ask([...SHARING, ...USER]);
    expect(run.stdout).toMatch(new RegExp(`^healthy: busy: ${node} silent for \\d+ s, less than [^\\n]+$`));
    expect(run.exitCode).toBe(0);
  });

  test("finds the worker busy when it runs as the image's own user and the broker is named", async () => {
    const run = await ask([...SHARING, ...BROKER]);
    expect(run.stdout).toMatch(new RegExp(`^healthy: busy: ${node} silent for \\d+ s, less than [^\\n]+$`));
    expect(run.exitCode).toBe(0);
  });

  test("finds the worker stopped after a SIGSTOP", async () => {
    await signal("STOP");
    const run = await ask([...SHARING, ...USER]);
    expect(run.stdout).toMatch(
      new RegExp(`^unhealthy: stopped: ${node} is stopped: [^\\n]+ SIGSTOP [^\\n]+$`),
    );
    expect(run.exitCode).toBe(1);
  });

  test("is undecided, and says to share the PID namespace, when it does not share it", async () => {
    const run = await ask(["--network", NAME, ...BROKER], "--node", node);
    expect(run.stdout).toMatch(
      new RegExp(
        `^unknown: undecided: no pong from ${node} [^\\n]+; hint: is it running\\? share its PID namespace: [^\\n]+$`,
      ),
    );
    expect(run.exitCode).toBe(1);
  });

  test("is undecided when the worker is dead, because nothing shows that it ever was here", async () => {
    await signal("KILL");
    const run = await ask([...SHARING, ...BROKER]);
    expect(run.stdout).toMatch(new RegExp(`^unknown: undecided: [^\\n]*${node}[^\\n]*$`));
    expect(run.exitCode).toBe(1);
  });

  test("finds the worker dead when an option says that the worker belongs there", async () => {
    const run = await ask([...SHARING, ...BROKER], "--placement", "inside");
    expect(run.stdout).toMatch(new RegExp(`^unhealthy: dead: ${node} is not running: [^\\n]+$`));
    expect(run.exitCode).toBe(1);
  });
});

/** Runs the image once, as a container without any rights. */
function ask(place: readonly string[], ...words: readonly string[]): Promise<Run> {
  return bench.docker.try(["run", "--rm", ...LOCKED, ...place, bench.probeImage, ...words]);
}

/** Runs a command in the worker's container. */
function inWorker(...words: readonly string[]): Promise<string> {
  return bench.docker.run(["exec", WORKER, ...words]);
}

/** From inside, because the engine's process numbers may differ from this machine's. */
function signal(name: "STOP" | "KILL"): Promise<string> {
  return inWorker("sh", "-c", `kill -s ${name} "$(cat /tmp/worker.pid)"`);
}

function untilLogged(pattern: RegExp): Promise<RegExpExecArray> {
  return until(`the worker logs ${String(pattern)}`, 60_000, async () => {
    const { stdout, stderr } = await bench.docker.try(["logs", WORKER]);
    return pattern.exec(stdout + stderr) ?? undefined;
  });
}
