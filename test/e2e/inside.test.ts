import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Container, startContainer } from "../world/container.ts";
import { type Server, startServer } from "../world/server.ts";
import type { WorkerOptions } from "../world/worker-command.ts";
import { EXECUTABLE, expectLine, type Probed } from "./probe.ts";

/** The probe inside a worker's container, which has its own process namespace and host name. */
let server: Server;
let container: Container;
beforeEach(async () => {
  [server, container] = await Promise.all([startServer(), startContainer()]);
});
afterEach(async () => {
  await container.stop();
  await server.stop();
});

async function ask(
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<Probed> {
  const { stdout, stderr, ...rest } = await container.run(EXECUTABLE, args, env);
  return { ...rest, stdout: stdout.trimEnd(), stderr };
}

const solo = (more: Partial<WorkerOptions> = {}) =>
  container.startWorker({ server, pool: "solo", ...more } as WorkerOptions);

describe("without arguments and without a variable", () => {
  test("asks the worker in sight at the broker that it uses", async () => {
    const worker = await solo();
    expectLine(await ask(), 0, new RegExp(`^healthy: alive: ${worker.node} answered in`), 2_900);
    const { stdout } = await ask(["--verbose"]);
    expect(stdout).toMatch(/broker: .*\(from CELERY_BROKER_URL of process \d+\)/);
  });

  test("asks all workers in sight in one message, and names the worst", async () => {
    const [one, other] = [await solo({ name: "a@%h" }), await solo({ name: "b@%h", queues: ["b"] })];
    expectLine(await ask(), 0, /^healthy: alive: 2 nodes \([ab]@\S+, [ab]@\S+\) answered in/, 2_900);
    other.suspend();
    const stopped = new RegExp(
      `^unhealthy: stopped: ${other.node} is stopped: .*; ${one.node} answered; hint: kill -CONT`,
    );
    expectLine(await ask(), 1, stopped, 2_900);
    await other.killAll();
    const dead = new RegExp(
      `^unhealthy: dead: ${other.node} is not running: there is no worker process of that name here`,
    );
    expectLine(await ask(["--node=a@%h,b@%h"]), 1, dead, 2_900);
  });

  test("asks one broker, and says which worker with another broker needs its own check", async () => {
    const one = await solo({ name: "a@%h" });
    const other = await solo({ name: "b@%h", queues: ["b"], brokerUrl: server.url(1) });
    const words = new RegExp(
      `^unknown: undecided: ${other.node} uses database 1 .* says 0 .*; ${one.node} answered; hint: this is the broker of ${one.node}: .*, this one with --node ${other.node}$`,
    );
    expectLine(await ask(), 1, words, 4_900);
    for (const { node } of [one, other])
      expectLine(await ask(["--node", node]), 0, new RegExp(`^healthy: alive: ${node} answered in`), 2_900);
  });

  test("is dead if no worker is in sight, with and without a broker", async () => {
    const dead = new RegExp(
      `^unhealthy: dead: celery@${container.hostname} is not running: there is no worker process here`,
    );
    expectLine(await ask([], { CELERY_BROKER_URL: server.url() }), 1, dead, 2_900);
    await server.stop();
    expectLine(await ask([], { CELERY_BROKER_URL: server.url() }), 1, dead, 2_900);
  });

  test("is undecided if no worker is in sight and none should be", async () => {
    const env = { CELERY_BROKER_URL: server.url() };
    const beside =
      /^unknown: undecided: nobody is subscribed .*; no worker process is in sight; hint: is it running\? share its PID namespace/;
    expectLine(await ask([], { ...env, CELERY_PROBE_PLACEMENT: "beside" }), 1, beside, 4_900);
    const remote =
      /^unknown: undecided: nobody is subscribed .*; its process is out of sight; hint: is the worker running, and connected to this broker/;
    expectLine(await ask(["--placement=remote"], env), 1, remote, 4_900);
    expectLine(await ask(["--node=celery@elsewhere"], env), 1, remote, 4_900);
  });
});

test("a worker that begins to listen after the last ping is alive, not deaf", async () => {
  const gate = join(container.folder, "go-on");
  const worker = await solo({
    until: "started",
    settings: { imports: ["slow_import"] },
    env: { SLOW_INIT_UNTIL: gate },
  });
  const published = async () =>
    Number(/^cmdstat_publish:calls=(\d+)/m.exec(await server.client().info("commandstats"))?.[1] ?? 0);
  const asked = ask(["--deadline=30s"]);
  // No worker has heard the two pings, and the loop turns before the verdict: it has the timeout for that.
  await expect.poll(published, { timeout: 20_000, interval: 5 }).toBe(2);
  writeFileSync(gate, "");
  expectLine(await asked, 0, new RegExp(`^healthy: alive: ${worker.node} answered in`), 29_900);
});

describe("a worker with other settings than the probe", () => {
  test("uses another database: both are named", async () => {
    const worker = await container.startWorker({ server, brokerUrl: server.url(3), pool: "solo" });
    const other = new RegExp(
      `^unknown: undecided: ${worker.node} uses database 3 .* says 0 .*; hint: set --broker .* /3$`,
    );
    expectLine(await ask(["--broker", server.url()]), 1, other, 4_900);
    expectLine(await ask(["--broker", server.url(3)]), 0, /^healthy: alive/, 2_900);
  });

  test("uses another server: both are named", async () => {
    await using elsewhere = await startServer();
    const worker = await container.startWorker({ server: elsewhere, pool: "solo" });
    const other = new RegExp(
      `^unknown: undecided: ${worker.node} does not fetch or listen on \\S+:${server.port}/0, and is connected to 127.0.0.1:${elsewhere.port} .*--broker$`,
    );
    expectLine(await ask(["--broker", server.url()]), 1, other, 4_900);
  });

  test("uses a key prefix: both are named, and with the option it is alive", async () => {
    const settings = { broker_transport_options: { global_keyprefix: "app1:" } };
    await solo({ settings, until: "ready" });
    const other =
      /^unknown: undecided: \S+ has the key prefix 'app1:', and was asked with no key prefix; hint: set --global-keyprefix 'app1:'$/;
    expectLine(await ask(), 1, other, 4_900);
    expectLine(await ask(["--global-keyprefix=app1:"]), 0, /^healthy: alive/, 2_900);
    const without =
      /^unknown: undecided: \S+ has the key prefix 'app1:', and was asked with the key prefix 'x'; hint: set/;
    expectLine(await ask(["--global-keyprefix=x"]), 1, without, 4_900);
  });

  test("has another name: both are named", async () => {
    const worker = await solo();
    const other = new RegExp(
      `^unknown: undecided: no worker here is called w2@web; here is ${worker.node}; hint: it has ended, or has another name: then set --node ${worker.node}`,
    );
    expectLine(await ask(["--node=w2@web"]), 1, other, 4_900);
  });
});

describe("a worker that its command line does not show", () => {
  const startedBy = async (name: string, program: string, more: Partial<WorkerOptions> = {}) => {
    const folder = mkdtempSync(join(tmpdir(), "celery-probe-script-"));
    const script = join(folder, name);
    writeFileSync(script, program);
    const worker = await solo({ script, ...more });
    return {
      worker,
      end: () => {
        rmSync(folder, { recursive: true });
      },
    };
  };
  const started = () =>
    startedBy("run.py", "import sys\nfrom tasks import app\napp.worker_main(sys.argv[1:])\n");

  test("is the fork that works, not its parent of the same command line, which waits", async () => {
    const forking = [
      "import multiprocessing, sys",
      "from tasks import app",
      "if __name__ == '__main__':",
      "    worker = multiprocessing.get_context('fork').Process(target=app.start, args=(sys.argv[2:],))",
      "    worker.start()",
      "    worker.join()",
    ].join("\n");
    const { worker, end } = await startedBy("manage.py", forking, { globalArgs: ["celery"] });
    const [fork] = await worker.children();
    await worker.taskStarted(await worker.submit("nap", 30));
    const busy = new RegExp(
      `^healthy: busy: \\S+ silent for .* \\(process ${container.pidInside(fork ?? 0)} running,`,
    );
    expectLine(await ask([], { CELERY_BROKER_URL: server.url() }), 0, busy, 4_900);
    end();
  });

  test("is not another program that fetches and listens, after the worker has died", async () => {
    const consuming = [
      "import os",
      "from kombu import Connection, Consumer, Exchange, Queue",
      "connection = Connection(os.environ['CELERY_BROKER_URL'])",
      "channel = connection.channel()",
      "work = Queue('events', Exchange('events'), 'events')",
      "news = Queue('', Exchange('news', type='fanout'), exclusive=True, auto_delete=True)",
      "Consumer(channel, [work, news], accept=['json'], callbacks=[lambda body, message: message.ack()]).consume()",
      "print('is ready.', flush=True)",
      "while True:",
      "    try: connection.drain_events(timeout=1)",
      "    except TimeoutError: pass",
    ].join("\n");
    const { worker: consumer, end } = await startedBy("consume.py", consuming, { until: "ready" });
    const other = new RegExp(
      `^unknown: undecided: no process here is known to be celery@${container.hostname}, and process ${container.pidInside(consumer.pid)} \\(python\\S* \\S*consume.py worker\\) may be it`,
    );
    expectLine(await ask([], { CELERY_BROKER_URL: server.url() }), 1, other, 4_900);
    end();
  });

  test("is found by its connections, and busy differs from dead", async () => {
    const { worker, end } = await started();
    const task = await worker.submit("nap", 30);
    await worker.taskStarted(task);
    expectLine(
      await ask([], { CELERY_BROKER_URL: server.url() }),
      0,
      /^healthy: busy: \S+ silent for/,
      4_900,
    );
    // lxcfs shows the uptime of the container there. By that clock the worker would have no age.
    const uptime = join(container.folder, "uptime");
    writeFileSync(uptime, "0.00 0.00\n");
    const mounted = await container.run("/usr/bin/mount", ["--bind", uptime, "/proc/uptime"]);
    expect(mounted).toMatchObject({ exitCode: 0 });
    expectLine(
      await ask([], { CELERY_BROKER_URL: server.url() }),
      0,
      /^healthy: busy: \S+ silent for/,
      4_900,
    );
    worker.kill("SIGSTOP");
    expectLine(await ask([], { CELERY_BROKER_URL: server.url() }), 1, /^unhealthy: stopped: /, 4_900);
    end();
  });

  test("is found by its pid file, and dead when the file names no process", async () => {
    const { worker, end } = await started();
    const folder = mkdtempSync(join(tmpdir(), "celery-probe-pid-"));
    const pidfile = join(folder, "worker.pid");
    const env = { CELERY_BROKER_URL: server.url(), CELERY_PROBE_PIDFILE: pidfile };
    const absent = new RegExp(
      `^unhealthy: dead: celery@${container.hostname} is not running: ${pidfile} names no worker process`,
    );
    await worker.submit("nap", 30);
    writeFileSync(pidfile, "what");
    const wrong = await ask([], env);
    expect(wrong.stderr).toMatch(
      /^celery-probe: CELERY_PROBE_PIDFILE '\S+' holds no process number: expected/,
    );
    expect(wrong.exitCode).toBe(1);
    writeFileSync(pidfile, `${container.pidInside(worker.pid)}\n`);
    expectLine(await ask([], env), 0, /^healthy: (busy|alive): /, 4_900);
    await worker.killAll();
    rmSync(pidfile);
    expectLine(await ask([], env), 1, absent, 2_900);
    rmSync(folder, { recursive: true });
    end();
  });
});

describe("a broker that fails", () => {
  test("is not the worker's: the one that it is connected to is named", async () => {
    const worker = await solo();
    const other = new RegExp(
      `^unknown: broker-unreachable: .*refused the connection; .*${worker.node} is connected to 127.0.0.1:${server.port}: if that is its broker, set --broker$`,
    );
    expectLine(await ask(["--broker", "redis://127.0.0.1:1/0"]), 1, other, 2_900);
  });

  test("counts as healthy with --on-unknown healthy while the worker's process is alive, and only then", async () => {
    const worker = await solo();
    await server.stop();
    const env = { CELERY_BROKER_URL: server.url(), CELERY_PROBE_ON_UNKNOWN: "healthy" };
    expectLine(
      await ask([], { CELERY_BROKER_URL: server.url() }),
      1,
      /^unknown: broker-unreachable: /,
      2_900,
    );
    expectLine(
      await ask([], env),
      0,
      /^unknown: broker-unreachable: .*--on-unknown counts it as healthy/,
      2_900,
    );
    worker.kill("SIGSTOP");
    expectLine(await ask([], env), 1, /^unhealthy: stopped: /, 2_900);
    await worker.killAll();
    expectLine(await ask([], env), 1, /^unhealthy: dead: /, 2_900);
  });

  test("that shows no connections: still busy, and hung on time with --state-file", async () => {
    const admin = server.client();
    const rules = ["on", ">pw", "~*", "&*", "+@all", "-client|list"];
    await admin.call("ACL", "SETUSER", "probe", ...rules);
    admin.disconnect();
    const worker = await solo();
    const task = await worker.submit("nap", 60);
    await worker.taskStarted(task);
    const folder = mkdtempSync(join(tmpdir(), "celery-probe-state-"));
    chmodSync(folder, 0o700);
    const state = join(folder, "state.json");
    const args = [
      "--broker",
      server.url().replace("//", "//probe:pw@"),
      "--retries=0",
      "--timeout=1s",
      "--busy-grace=3s",
    ];
    expectLine(await ask(args), 0, /^healthy: busy: \S+ silent for an unknown time .*--state-file/, 4_900);
    const withState = [...args, `--state-file=${state}`];
    expectLine(await ask(withState), 0, /^healthy: busy: \S+ silent for an unknown time/, 4_900);
    expect(JSON.parse(readFileSync(state, "utf8"))).toMatchObject({ schema: 2 });
    expectLine(
      await ask(withState),
      1,
      /^unhealthy: hung: \S+ silent for \d+ s by the state file, longer than the 3 s grace/,
      4_900,
    );
    rmSync(folder, { recursive: true });
  });
});
