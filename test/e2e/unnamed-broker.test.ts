import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type Container, startContainer } from "../world/container.ts";
import { type Own, owner } from "../world/owner.ts";
import { startSentinels } from "../world/sentinel.ts";
import { loneUser, type Server } from "../world/server.ts";
import type { WorkerOptions, WorkerPlace } from "../world/worker-command.ts";
import type { Worker } from "../world/worker.ts";
import { EXECUTABLE, expectLine, type Probed } from "./probe.ts";

/** Workers whose broker is in no variable as a URL. It is found by their connections. */

const PASSWORD = "hunter2/@";
const LONGEST_MS = 120_000;

type Variables = Readonly<Record<string, string>>;

async function run(
  container: Container,
  args: readonly string[],
  env: Variables = {},
  before: readonly string[] = [],
): Promise<Probed> {
  const [program = "", ...words] = [...before, EXECUTABLE, ...args];
  const { stdout, ...rest } = await container.run(program, words, env);
  return { ...rest, stdout: stdout.trimEnd() };
}

interface Placed {
  readonly worker: Worker;
  readonly container: Container;
  /** Probes inside, with an empty environment. */
  readonly ask: (...args: string[]) => Promise<Probed>;
}

type More = Partial<WorkerOptions> & { readonly db?: number };

/** A worker in its own container. About the broker, its environment has only `env`. */
async function placed({ keep }: Own, env: Variables, options: WorkerOptions): Promise<Placed> {
  const container = await keep(startContainer());
  const worker = await container.startWorker({
    pool: "solo",
    ...options,
    env: { CELERY_BROKER_URL: undefined, ...env },
  });
  return { worker, container, ask: (...args) => run(container, args) };
}

/** The worker of a Django project. */
function inDjango(own: Own, server: Server, env: Variables, { db = 0, ...more }: More = {}): Promise<Placed> {
  const parts = { REDIS_HOST: "127.0.0.1", REDIS_PORT: String(server.port), REDIS_DB: String(db) };
  const options = { server, brokerUrl: server.url(db), inDjango: true, ...more } as WorkerOptions;
  return placed(own, { ...parts, ...env }, options);
}

const alive = ({ worker }: Placed) => new RegExp(`^healthy: alive: ${worker.node} answered in`);

/** What `--verbose` says about the broker. */
async function brokerOf({ ask }: Placed): Promise<string> {
  const { stdout } = await ask("--verbose");
  expect(stdout).not.toContain("hunter2");
  return /^ +broker: +(.*)$/m.exec(stdout)?.[1] ?? stdout;
}

describe.concurrent(
  "a Django project with its broker in REDIS_HOST and similar variables",
  { timeout: LONGEST_MS },
  () => {
    test("is alive, busy in a task, and dead when it is killed", async () => {
      await using own = owner();
      const server = await own.server();
      const shop = await inDjango(own, server, {}, { db: 1 });
      const { worker, ask } = shop;
      expectLine(await ask(), 0, alive(shop), 2_900);
      const url = `redis://127.0.0.1:${server.port}/1`;
      expect(await brokerOf(shop)).toBe(`${url} (from the worker's connection)`);
      const json = JSON.parse((await ask("--output=json")).stdout) as { evidence: { broker: unknown } };
      expect(json.evidence.broker).toEqual({ url, from: "the worker's connection" });
      await worker.taskStarted(await worker.submit("nap", 600));
      expectLine(await ask(), 0, new RegExp(`^healthy: busy: ${worker.node} silent for`), 4_900);
      await worker.killAll();
      expectLine(await ask(), 1, new RegExp(`^unhealthy: dead: ${worker.node} is not running`), 4_900);
    });

    test("is alive if its own environment has the password, and a user", async () => {
      await using own = owner();
      const server = await own.server({ password: PASSWORD });
      const one = await inDjango(own, server, { REDIS_PASSWORD: PASSWORD }, { db: 2 });
      expectLine(await one.ask(), 0, alive(one), 2_900);
      const where = `@127.0.0.1:${server.port}`;
      expect(await brokerOf(one)).toBe(
        `redis://:***${where}/2 (from the worker's connection and REDIS_PASSWORD)`,
      );
      const user = { username: "app", password: "hunter2 too" };
      await server.addUser(user, "~*", "&*", "+@all");
      const other = await inDjango(
        own,
        server,
        { REDIS_USERNAME: user.username, REDIS_PASSWORD: user.password },
        { db: 3 },
      );
      expectLine(await other.ask(), 0, alive(other), 2_900);
      expect(await brokerOf(other)).toBe(
        `redis://app:***${where}/3 (from the worker's connection and REDIS_USERNAME and REDIS_PASSWORD)`,
      );
    });

    test("gets a line to paste if only a file has the password, or a variable has another one", async () => {
      await using own = owner();
      const server = await own.server({ password: "hunter2" });
      const secret = join(server.folder, "secret");
      writeFileSync(secret, "hunter2\n");
      for (const env of [{}, { REDIS_PASSWORD: "of another server" }]) {
        const shop = await inDjango(own, server, { ...env, REDIS_PASSWORD_FILE: secret }, { db: 2 });
        const said = await shop.ask();
        const url = `redis://:PASSWORD@127.0.0.1:${server.port}/2`;
        const line = new RegExp(
          `^unknown: broker-refused: redis://127.0.0.1:${server.port}/2 .*; hint: set CELERY_PROBE_BROKER=${url}$`,
        );
        expectLine(said, 1, line, 2_900);
        const pasted = { CELERY_PROBE_BROKER: url.replace("PASSWORD", "hunter2") };
        expectLine(await run(shop.container, [], pasted), 0, alive(shop), 2_900);
      }
    });

    test("is alive by TLS, which only the server shows", async () => {
      await using own = owner();
      const server = await own.server({ tls: {}, password: PASSWORD });
      const shop = await inDjango(own, server, { REDIS_TLS: "1", REDIS_PASSWORD: PASSWORD });
      expectLine(await shop.ask(), 0, alive(shop), 2_900);
      expect(await brokerOf(shop)).toMatch(/^rediss:\/\/:\*\*\*@/);
    });

    test("is found among a cache, a result server, and other servers", async () => {
      await using own = owner();
      const [server, cache, results] = [await own.server(), await own.server(), await own.server()];
      const shop = await inDjango(
        own,
        server,
        {
          CACHE_PORT: String(cache.port),
          RESULT_PORT: String(results.port),
          DJANGO_CACHE_URL: cache.url(),
          CELERY_RESULT_BACKEND: results.url(),
        },
        { db: 1 },
      );
      const { worker } = shop;
      await worker.taskSucceeded(await worker.submit("add", 1, 2));
      expect(await brokerOf(shop)).toBe(`redis://127.0.0.1:${server.port}/1 (from the worker's connection)`);
    });

    test("is busy if its server was restarted during a task, and it has not noticed", async () => {
      await using own = owner();
      const server = await own.server();
      const { worker, ask } = await inDjango(own, server, {}, { db: 1 });
      await worker.taskStarted(await worker.submit("nap", 600));
      await server.stop();
      const lost = new RegExp(
        `^unknown: broker-unreachable: nothing names the broker, .*; hint: it has lost 127.0.0.1:${server.port}, `,
      );
      expectLine(await ask(), 1, lost, 4_900);
      await own.server({ port: server.port });
      expectLine(await ask(), 0, new RegExp(`^healthy: busy: ${worker.node} `), 4_900);
    });

    test("is unknown while its server is frozen, which is named", async () => {
      await using own = owner();
      const server = await own.server();
      const { ask } = await inDjango(own, server, {}, { db: 1 });
      server.pause();
      const frozen = new RegExp(
        `^unknown: broker-unreachable: redis://127.0.0.1:${server.port}/1 accepted the connection but did not answer`,
      );
      expectLine(await ask(), 1, frozen, 4_900);
      const hurried = await ask("--deadline=600ms");
      expect(hurried.stdout).toMatch(/^unknown: (broker-unreachable|undecided): /);
      expect(hurried.ms).toBeLessThan(900);
      server.resume();
    });

    test("is shown to every other command", async () => {
      await using own = owner();
      const server = await own.server({ password: PASSWORD });
      const shop = await inDjango(own, server, { REDIS_PASSWORD: PASSWORD }, { db: 1 });
      const { ask, worker } = shop;
      for (const words of [["inspect", "ping"], ["watch", "--once"], ["doctor"], ["report"]]) {
        const { stdout, stderr } = await ask(...words);
        expect(stdout + stderr, words.join(" ")).toContain(worker.node);
        expect(stdout + stderr, words.join(" ")).not.toContain("hunter2");
        expect(stdout + stderr, words.join(" ")).not.toContain("127.0.0.1:6379");
      }
    });
  },
);

describe.concurrent("a worker whose entrypoint exports the URL only to it", { timeout: LONGEST_MS }, () => {
  test.each(["APP_BROKER", "REDIS_URL"])("is alive by %s", async (name) => {
    await using own = owner();
    const server = await own.server({ password: PASSWORD });
    const shop = await inDjango(own, server, { APP_BROKER: server.url(3), [name]: server.url(3) }, { db: 3 });
    expectLine(await shop.ask(), 0, alive(shop), 2_900);
    expectLine(await shop.ask("--broker-env", name), 0, alive(shop), 2_900);
    const { stdout } = await shop.ask("--broker-env", name, "--verbose");
    expect(stdout).toMatch(new RegExp(`from ${name} of process \\d+\\)`));
    await shop.worker.killAll();
    expectLine(await shop.ask("--broker-env", name), 1, /^unhealthy: dead: /, 4_900);
  });

  test("is asked in the database where it fetches, whichever database the URL names", async () => {
    await using own = owner();
    const server = await own.server({ password: PASSWORD });
    const env = { MAIN: server.url(0), QUEUE: server.url(4), REDIS_PASSWORD: PASSWORD };
    const four = await inDjango(own, server, env, { db: 4 });
    expect(await brokerOf(four)).toMatch(/\/4 \(from the worker's connection and QUEUE\)$/);
    const five = await inDjango(own, server, env, { db: 5 });
    expectLine(await five.ask(), 0, alive(five), 2_900);
    expect(await brokerOf(five)).toMatch(/\/5 \(from the worker's connection and (?:MAIN|QUEUE)\)$/);
  });

  test("is not set if it is set nowhere", async () => {
    await using own = owner();
    const shop = await inDjango(own, await own.server(), {});
    const { exitCode, stderr } = await shop.ask("--broker-env", "APP_BROKER");
    expect([exitCode, stderr]).toEqual([1, expect.stringMatching(/--broker-env 'APP_BROKER' is not set/)]);
  });
});

describe.concurrent("a worker on another kind of server", { timeout: LONGEST_MS }, () => {
  test("is alive by Sentinels that a variable names, and without one", async () => {
    await using own = owner();
    const sentinels = await own.keep(startSentinels());
    const named = await placed(
      own,
      { JOBS: sentinels.url(1) },
      {
        sentinels,
        brokerUrl: sentinels.url(1),
        settings: { broker_url: sentinels.url(1) },
      },
    );
    expectLine(await named.ask(), 0, alive(named), 2_900);
    expect(await brokerOf(named)).toMatch(/^sentinel:.*\(from the worker's connection and JOBS\)$/);
    const unnamed = await placed(
      own,
      {},
      {
        ...{ sentinels, brokerUrl: sentinels.url(2), celery: "5.2.7", redisPy: "4.6.0" },
        settings: { broker_url: sentinels.url(2) },
      },
    );
    expectLine(await unnamed.ask(), 0, alive(unnamed), 4_900);
  });

  test("is alive through a unix socket that a variable names", async () => {
    await using own = owner();
    const server = await own.server({ socket: true });
    for (const [db, env] of [
      [1, { JOBS: server.socketUrl(1) }],
      [2, { REDIS_SOCKET: server.socketPath, REDIS_DB: "2" }],
    ] as const) {
      const settings = { broker_url: server.socketUrl(db) };
      const shop = await placed(own, env, { server, brokerUrl: server.socketUrl(db), settings });
      expectLine(await shop.ask(), 0, alive(shop), 2_900);
    }
  });

  test("is alive by IPv6", async () => {
    await using own = owner();
    const server = await own.server({ hosts: ["127.0.0.1", "::1"] });
    const shop = await inDjango(own, server, { REDIS_HOST: "[::1]" });
    expectLine(await shop.ask(), 0, alive(shop), 2_900);
    expect(await brokerOf(shop)).toMatch(/^redis:\/\/\[::1\]:\d+\/0 /);
  });

  test("is alive if only its connections show that it is a worker", async () => {
    await using own = owner();
    const server = await own.server();
    const script = join(server.folder, "run.py");
    writeFileSync(script, "import sys\nfrom shop import celery_app\ncelery_app.worker_main(sys.argv[1:])\n");
    const shop = await inDjango(own, server, {}, { script, db: 6 });
    expectLine(await shop.ask(), 0, alive(shop), 2_900);
    await shop.worker.taskStarted(await shop.worker.submit("nap", 600));
    // It first listens for heartbeats. On a busy machine that takes longer.
    expectLine(await shop.ask("--deadline=20s"), 0, /^healthy: busy: /, 19_900);
    expect((await shop.ask("doctor")).stdout).not.toContain("127.0.0.1:6379");
  });
});

/** Root in a container with Docker's default capabilities, without CAP_SYS_PTRACE. */
const DOCKERS = [
  "chown",
  "dac_override",
  "fowner",
  "fsetid",
  "kill",
  "setgid",
  "setuid",
  "setpcap",
  "net_bind_service",
];
const AS_ROOT = ["setpriv", `--bounding-set=${["-all", ...DOCKERS.map((name) => `+${name}`)].join(",")}`];

/** As gosu starts a program for a user. It can still read the folders of the user who runs the tests. */
const AS_USER = ["--clear-groups", "--inh-caps=+dac_override", "--ambient-caps=+dac_override"];

function asUser(user: number, place: WorkerPlace): WorkerPlace {
  return {
    hostname: place.hostname,
    start: (options) =>
      place.start({
        ...options,
        command: "setpriv",
        args: (folder) => [`--reuid=${user}`, ...AS_USER, options.command, ...options.args(folder)],
      }),
  };
}

describe.concurrent(
  "a worker of another user, whose environment may not be read",
  { timeout: LONGEST_MS },
  () => {
    const probing = async ({ keep, server: start }: Own, password?: string) => {
      const server = await start(password === undefined ? {} : { password });
      const user = loneUser(server);
      const container = await keep(startContainer());
      const worker = await container.startWorker({
        ...{
          server,
          brokerUrl: server.url(1),
          inDjango: true,
          pool: "solo",
          within: asUser(user, container),
        },
        env: { APP_BROKER: server.url(1) },
      });
      return {
        server,
        user,
        worker,
        container,
        ask: (...args: string[]) => run(container, args, {}, AS_ROOT),
      };
    };

    test("is alive if its server needs no password", async () => {
      await using own = owner();
      const { worker, ask } = await probing(own);
      expectLine(await ask(), 0, new RegExp(`^healthy: alive: ${worker.node}`), 2_900);
    });

    test("gets the line to paste, and the user to run the probe as", async () => {
      await using own = owner();
      const { server, user, worker, container, ask } = await probing(own, "hunter2");
      const line = new RegExp(
        `^unknown: broker-refused: \\S+ wants a password: .*, and the environment of process \\d+ may not be read; ` +
          `hint: set CELERY_PROBE_BROKER=redis://:PASSWORD@127.0.0.1:${server.port}/0, ` +
          `or run the probe as user ${user} \\(docker exec -u ${user}\\), or as root with CAP_SYS_PTRACE`,
      );
      expectLine(await ask(), 1, line, 2_900);
      const { stderr } = await ask("--broker-env=APP_BROKER");
      expect(stderr).toMatch(
        /APP_BROKER' is not set here, and the environment of process \d+ may not be read/,
      );
      const asRoot = await run(container, []);
      expectLine(asRoot, 0, new RegExp(`^healthy: alive: ${worker.node} answered`), 2_900);
    });
  },
);
