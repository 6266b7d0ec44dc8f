import { existsSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { type BeatOptions, startBeat } from "../world/beat.ts";
import { type Container, type ContainerRun, startContainer } from "../world/container.ts";
import { celeryVenv } from "../world/python.ts";
import { type Server, startServer } from "../world/server.ts";
import { EXECUTABLE } from "./probe.ts";
import { until } from "../world/until.ts";

type World = {
  container: Container;
  start: (more?: Partial<BeatOptions>) => ReturnType<typeof startBeat>;
  url: string;
  server: Server;
};

/** A container with a broker beside it. */
async function world(look: (world: World) => Promise<void>): Promise<void> {
  await using server = await startServer();
  await using container = await startContainer();
  const url = server.url();
  await look({
    container,
    url,
    server,
    start: (more = {}) => startBeat(container, { brokerUrl: url, ...more }),
  });
}

const ask = (container: Container, ...args: readonly string[]) =>
  container.run(EXECUTABLE, ["beat", ...args]);

function expectSaid({ stdout, stderr, exitCode }: ContainerRun, code: 0 | 1, words: RegExp): void {
  expect(stderr).toBe("");
  expect(stdout).toMatch(words);
  expect(exitCode).toBe(code);
}

describe.concurrent.each(["5.7.0", "5.2.7"] as const)("a beat of Celery %s", (celery) => {
  test("runs, alone and with its schedule file written", ({ expect }) =>
    world(async ({ container, start }) => {
      await start({ celery });
      // It prints that it starts before it opens the file.
      await expect
        .poll(() => ask(container))
        .toMatchObject({
          exitCode: 0,
          stdout: expect.stringMatching(
            /^healthy: running: beat process \d+ runs, for \d+ s; celerybeat-schedule written \d+ s ago$/,
          ) as unknown,
          stderr: "",
        });
    }));

  test("is one too many if two run", () =>
    world(async ({ container, start }) => {
      await start({ celery });
      await start({ celery, args: ["-s", "other"] });
      expectSaid(
        await ask(container),
        1,
        /^unhealthy: several-beats: 2 beats run here: process \d+, process \d+; hint: each of them sends every periodic task/,
      );
    }));

  test("hangs if its file is not written for too long", ({ expect }) =>
    world(async ({ container, start }) => {
      await start({ celery, args: ["-s", "my-schedule"] });
      // It wrote the file when it started, and writes it again after three minutes at the earliest.
      await expect
        .poll(async () => (await ask(container, "--max-schedule-age", "3s")).stdout, { timeout: 15_000 })
        .toMatch(
          /^unhealthy: schedule-stale: beat process \d+ has not written my-schedule for \d+ s, longer than 3 s; hint:/,
        );
      expectSaid(await ask(container), 0, /^healthy: running: .*; my-schedule written \d+ s ago$/);
    }));

  test("is healthy beside a file of an earlier one, wherever it writes its own", () =>
    world(async ({ container, start }) => {
      const settings = { beat_scheduler: "celery.beat:Scheduler" };
      const beat = await start({ celery, settings, args: ["-s", "unused"] });
      writeFileSync(join(beat.folder, "celerybeat-schedule"), "");
      const then = Date.now() / 1_000 - 86_400;
      utimesSync(join(beat.folder, "celerybeat-schedule"), then, then);
      const words = /^healthy: running: .*; no file is known to be its schedule: /;
      expectSaid(await ask(container, "--max-schedule-age", "1ms"), 0, words);
      // Unless an option says that this is its file.
      const named = ["--schedule", "celerybeat-schedule", "--max-schedule-age", "1ms"];
      expectSaid(
        await ask(container, ...named),
        1,
        /^unhealthy: schedule-stale: .*for 24\.0 h, longer than 0 s/,
      );
    }));

  test("is stopped", ({ expect }) =>
    world(async ({ container, start }) => {
      const beat = await start({ celery });
      beat.signalAll("SIGSTOP");
      // The process receives the signal when it runs the next time.
      await expect
        .poll(async () => (await ask(container)).stdout)
        .toMatch(/^unhealthy: stopped: beat process \d+ is stopped or frozen/);
    }));
});

test.concurrent("no beat is here, with workers or without", () =>
  world(async ({ container, url }) => {
    expectSaid(await ask(container), 1, /^unhealthy: no-beat: no beat runs here/);
    await startWorkerIn(container, url, []);
    expectSaid(await ask(container), 1, /^unhealthy: no-beat: no beat runs here/);
  }),
);

test.concurrent("a worker's own beat (-B) counts, beside another as one too many", () =>
  world(async ({ container, url, start }) => {
    await startWorkerIn(container, url, ["-B", "-s", join(container.folder, "embedded")]);
    expectSaid(await ask(container), 0, /^healthy: running: the beat of worker process \d+ \(-B\) runs/);
    await start();
    expectSaid(await ask(container), 1, /^unhealthy: several-beats: 2 beats .*\(a worker with -B\)/);
  }),
);

test.concurrent("a named schedule file that is gone is not reported as missing in the first minute", () =>
  world(async ({ container, start }) => {
    await start();
    const said = await ask(container, "--schedule", "other", "--output", "json");
    const { status, reason } = JSON.parse(said.stdout) as { status: string; reason: string };
    expect([status, reason]).toEqual(["healthy", "starting"]);
  }),
);

test.concurrent("only the variables that Celery reads are read", () =>
  world(async ({ container, start }) => {
    const schedule = join(container.folder, "by-click");
    await start({
      env: {
        CELERY_BEAT_SCHEDULE: schedule,
        CELERY_BEAT_MAX_INTERVAL: "3000",
        CELERY_BEAT_ENABLE_REMOTE_CONTROL: "true",
      },
    });
    const { stdout, exitCode } = await ask(container, "--verbose");
    expect(stdout).toMatch(new RegExp(`^healthy: running: [^\n]*; ${schedule} written \\d+ s ago\n`));
    expect(stdout).toContain("limit: 6000 s without a write");
    expect(exitCode).toBe(0);
  }),
);

test.concurrent("a program that runs a beat is not reported as dead, and its pid file names it", () =>
  world(async ({ container, url }) => {
    const venv = await celeryVenv("5.7.0");
    const pidfile = join(container.folder, "beat.pid");
    const script = "from tasks import app; app.Beat(pidfile=__import__('sys').argv[1]).run()";
    const program = await container.start({
      what: "program",
      command: venv.python,
      args: (folder) => ["-c", `__import__('os').chdir('${folder}'); ${script}`, pidfile],
      env: () => ({
        PATH: "/usr/bin:/bin",
        PYTHONPATH: join(import.meta.dirname, "../world"),
        PYTHONDONTWRITEBYTECODE: "1",
        CELERY_BROKER_URL: url,
      }),
    });
    await until("its pid file is there", () => existsSync(pidfile));
    expectSaid(
      await ask(container),
      1,
      /^unknown: unrecognised: no beat is recognised here; process \d+ \(python -c …\) may be one; hint: set --pidfile to the file /,
    );
    expectSaid(await ask(container, "--pidfile", pidfile), 0, /^healthy: running: beat process \d+ runs, /);
    await program.stop(0);
    expectSaid(await ask(container, "--pidfile", pidfile), 1, /^unhealthy: no-beat: /);
  }),
);

test.concurrent("a worker's own beat is missing when it has ended", ({ expect }) =>
  world(async ({ container, url }) => {
    const worker = await container.startWorker({
      brokerUrl: url,
      args: ["-B", "-s", join(container.folder, "s")],
      settings: { worker_log_format: "%(processName)s %(process)d %(message)s" },
    });
    expectSaid(await ask(container), 0, /^healthy: running: the beat of worker process \d+ \(-B\) runs/);
    const [, beat = ""] = await worker.waitForLog(/^Beat (\d+) beat: Starting/m);
    await container.run("/bin/kill", ["-KILL", beat]);
    await expect
      .poll(async () => (await ask(container)).stdout, { timeout: 20_000 })
      .toMatch(
        /^unhealthy: ended: the beat of worker process \d+ \(-B\) has ended: its process \d+ is a zombie/,
      );
  }),
);

test.concurrent(
  "a worker's own beat that is stopped, and one that has outlived its worker, are not healthy",
  () =>
    world(async ({ container, url }) => {
      const worker = await container.startWorker({
        brokerUrl: url,
        pool: "solo",
        args: ["-B", "-s", join(container.folder, "s")],
        settings: { worker_log_format: "%(processName)s %(process)d %(message)s" },
      });
      const [, beat = ""] = await worker.waitForLog(/^Beat (\d+) beat: Starting/m);
      await container.run("/bin/kill", ["-STOP", beat]);
      await until("it is stopped", async () => /^unhealthy: stopped: /.test((await ask(container)).stdout));
      const stopped = await ask(container);
      expectSaid(
        stopped,
        1,
        new RegExp(`the beat of worker process \\d+ \\(-B\\) is stopped or frozen.*kill -CONT ${beat} `),
      );
      await container.run("/bin/kill", ["-CONT", beat]);
      expectSaid(await ask(container), 0, /^healthy: running: the beat of worker process /);
      process.kill(worker.pid, "SIGKILL");
      await until("its worker has ended", async () => !/^healthy/.test((await ask(container)).stdout));
      expectSaid(
        await ask(container),
        1,
        new RegExp(
          `^unhealthy: left-behind: the worker has ended and left its beat .*: process ${beat}; hint: .*\\(kill ${beat}\\)`,
        ),
      );
      // It is not a worker either, although it has a worker's command line.
      expectSaid(
        await container.run(EXECUTABLE, [], { CELERY_BROKER_URL: url }),
        1,
        new RegExp(
          `^unhealthy: dead: .*process ${beat} is the beat that an ended worker \\(-B\\) has left; hint: `,
        ),
      );
    }),
);

test.concurrent("a pid file is believed of a beat, and of no other program", () =>
  world(async ({ container, start, url }) => {
    const file = (name: string) => join(container.folder, name);
    await container.startWorker({ brokerUrl: url, args: ["--pidfile", file("worker.pid")] });
    await start({ args: ["--pidfile", file("beat.pid")] });
    const sleep = await container.start({
      what: "sleep",
      command: "/bin/sleep",
      args: () => ["1000"],
      env: () => ({}),
    });
    writeFileSync(file("sleep.pid"), `${container.pidInside(sleep.pid)}\n`);
    await until("the beat's is there", () => existsSync(file("beat.pid")));
    expectSaid(
      await ask(container, "--pidfile", file("beat.pid")),
      0,
      /^healthy: running: beat process \d+ runs/,
    );
    for (const [name, words] of [
      ["sleep", "sleep 1000"],
      ["worker", "python -m celery"],
    ] as const)
      expectSaid(
        await ask(container, "--pidfile", file(`${name}.pid`)),
        1,
        new RegExp(
          `^unhealthy: no-beat: no beat runs here: the pid file names process \\d+ \\(${words}\\), which is not a beat`,
        ),
      );
    const check = (name: string) =>
      container.run(EXECUTABLE, ["--pidfile", file(`${name}.pid`)], { CELERY_BROKER_URL: url });
    expectSaid(await check("worker"), 0, /^healthy: alive: /);
    await container.run("/bin/sh", ["-c", `kill -9 $(cat ${file("worker.pid")})`]);
    for (const [name, what] of [
      ["beat", "a beat"],
      ["sleep", "sleep 1000, not a worker"],
    ] as const)
      expectSaid(
        await check(name),
        1,
        new RegExp(
          `^unhealthy: dead: .*${name}\\.pid names no worker process, and process \\d+ is ${what}; hint: `,
        ),
      );
  }),
);

test.concurrent("a beat out of sight is not called dead by a sidecar or a remote probe", () =>
  world(async ({ container }) => {
    for (const placement of ["beside", "remote"])
      expectSaid(
        await ask(container, "--placement", placement),
        1,
        /^unknown: no-processes: no beat is in sight; /,
      );
    expectSaid(await ask(container, "--placement", "inside"), 1, /^unhealthy: no-beat: /);
  }),
);

test.concurrent("a beat that answers pings is never unhealthy while its broker comes back", async () => {
  const server = await startServer();
  const { port } = server;
  await using container = await startContainer();
  const beat = await startBeat(container, { brokerUrl: server.url(), args: ["--enable-remote-control"] });
  const lines: string[] = [];
  const asking = { isOver: false };
  const asks = (async () => {
    while (!asking.isOver) lines.push((await ask(container)).stdout.trim());
  })();
  await server.stop();
  await wait(4_000);
  await using _again = await startServer({ port });
  await beat.waitForLog(/[Cc]onnect/);
  await wait(8_000);
  asking.isOver = true;
  await asks;
  expect(lines.filter((line) => !line.startsWith("healthy: "))).toEqual([]);
  expect(lines.length).toBeGreaterThan(5);
});

test.concurrent("a beat of Celery 5.7 that answers pings is asked", ({ expect }) =>
  world(async ({ container, start }) => {
    const args = ["--enable-remote-control"];
    await start({ args });
    await expect
      .poll(async () => (await ask(container)).stdout, { timeout: 20_000 })
      .toMatch(/^healthy: running: .*; it answers pings$/m);
  }),
);

test.concurrent(
  "redbeat's lock is read, and under another name it is not reported as missing",
  ({ expect }) =>
    world(async ({ container, start, url }) => {
      const also = { name: "redbeat", packages: ["celery-redbeat==2.3.2"] };
      const settings = { redbeat_redis_url: url, redbeat_key_prefix: "mine:" };
      const beat = await start({ also, args: ["-S", "redbeat.RedBeatScheduler"], settings });
      const running = "^healthy: running: .*scheduler redbeat\\.RedBeatScheduler, which keeps no file; ";
      await expect
        .poll(async () => (await ask(container, "--redbeat-lock", "mine::lock")).stdout, { timeout: 20_000 })
        .toMatch(new RegExp(`${running}redbeat's lock is held, for \\d+ (s|min) more$`, "m"));
      const unseen = "nobody holds redbeat::lock on this broker, where redbeat has its lock by default$";
      expectSaid(await ask(container), 0, new RegExp(running + unseen));
      await beat.stop(0);
      await start({ also, args: ["-S", "redbeat.RedBeatScheduler"], settings: { redbeat_redis_url: url } });
      await expect
        .poll(async () => (await ask(container)).stdout, { timeout: 20_000 })
        .toMatch(new RegExp(`${running}redbeat's lock is held, `, "m"));
    }),
);

test.concurrent("redbeat's lock from a killed beat does not make the waiting one healthy", ({ expect }) =>
  world(async ({ container, start, url, server }) => {
    const settings = {
      redbeat_lock_timeout: 600,
      beat_max_loop_interval: 1,
      beat_scheduler: "redbeat.RedBeatScheduler",
    };
    const also = { name: "redbeat", packages: ["celery-redbeat==2.3.2"] };
    const startRedbeat = () => start({ also, settings });
    await container.startWorker({
      brokerUrl: url,
      settings: { ...settings, beat_scheduler: "celery.beat:Scheduler" },
    });
    const said = async (...args: readonly string[]) =>
      (await ask(container, "--redbeat-lock", "redbeat::lock", ...args)).stdout;
    const first = await startRedbeat();
    await first.waitForLog(/Acquired lock/);
    const second = await startRedbeat();
    const pidfile = join(container.folder, "second");
    writeFileSync(pidfile, `${container.pidInside(second.pid)}\n`);
    // As long as the other one lives, it has a good reason to wait.
    expect(await said("--pidfile", pidfile)).toMatch(
      /^healthy: waiting: .*redbeat's lock is held by another beat, which renewed it \d s ago, for \d+ (?:s|min) more$/m,
    );
    first.signalAll("SIGKILL");
    await expect
      .poll(() => said(), { timeout: 20_000 })
      .toMatch(
        /^unhealthy: lock-left: .* redbeat::lock, and .* not renewed it for \d+ s; hint: .*DEL redbeat::lock/,
      );
    const redis = server.client();
    await redis.del("redbeat::lock");
    redis.disconnect();
    await second.waitForLog(/Acquired lock/);
    expect(await said()).toMatch(/^healthy: running: .*redbeat's lock is held, for \d+ (?:s|min) more$/m);
  }),
);

test.concurrent("if no broker is named, none is asked, and only processes decide", () =>
  world(async ({ container, start }) => {
    await start({ brokerUrl: null });
    expectSaid(
      await ask(container, "--verbose"),
      0,
      /^healthy: running: .*\n {2}beats: \d+\n.*\n.*\n {2}broker: nobody names one$/,
    );
    expectSaid(await ask(container, "--quiet"), 0, /^$/);
  }),
);

async function startWorkerIn(container: Container, url: string, args: readonly string[]): Promise<void> {
  await container.startWorker({ brokerUrl: url, args });
}
