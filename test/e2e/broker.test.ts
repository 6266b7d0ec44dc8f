import { spawn } from "node:child_process";
import { once } from "node:events";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import {
  HANG_UP,
  SILENCE,
  type ScriptedServer,
  scriptedServer,
  wellBehaved,
} from "../broker/scripted-server.ts";
import { freePort, type Server, startServer } from "../world/server.ts";
import { assertWorkerIsWell, startWorker, type Worker } from "../world/worker.ts";
import { expectLine, expectOurKeys, probe, type Probed, probeNode } from "./probe.ts";

/** A refusal costs one round trip, so it is reported at once. */
const SOON_MS = 1_900;

const started: AsyncDisposable[] = [];
afterEach(async () => {
  for (const part of started.splice(0).reverse()) await part[Symbol.asyncDispose]();
});
async function world(...args: string[]): Promise<{ server: Server; worker: Worker }> {
  const server = await startServer({ args });
  started.push(server);
  const worker = await startWorker({ server, celery: "5.5.3", pool: "prefork" });
  started.push(worker);
  return { server, worker };
}
/** Remote: on this machine, other tests' workers are in sight. */
const at = (url: string, ...args: string[]) =>
  probe(args, { CELERY_BROKER_URL: url, CELERY_PROBE_PLACEMENT: "remote" });

describe("a broker that cannot be reached", () => {
  test("is reported when nothing listens there", async () => {
    const port = await freePort();
    expectLine(
      await at(`redis://:hunter2@127.0.0.1:${port}/0`),
      1,
      new RegExp(
        `^unknown: broker-unreachable: redis://:\\*\\*\\*@127.0.0.1:${port}/0 refused the connection; hint: is Redis`,
      ),
      SOON_MS,
    );
  });

  test("is reported when the name does not exist", async () => {
    expectLine(
      await at("redis://no-such-host.invalid/0", "--connect-timeout=4s"),
      1,
      /^unknown: broker-unreachable: the host name of redis:\/\/no-such-host.invalid\/0 was not found \(E\w+\); hint: /,
      4_900,
    );
  });

  test("is reported when Redis is paused, and the worker is healthy afterwards", async () => {
    const { server, worker } = await world();
    server.pause();
    const probed = await at(server.url(), "--node", worker.node);
    server.resume();
    expectLine(
      probed,
      1,
      /^unknown: broker-unreachable: redis:\S+ accepted the connection but did not answer within 1000 ms; hint: /,
      2_500,
    );
    expectLine(await probeNode(server, worker.node), 0, /^healthy: alive/, SOON_MS);
    await assertWorkerIsWell(worker);
  });

  test("is reported when Redis ends while the probe waits", async () => {
    const { server, worker } = await world();
    worker.suspend();
    const probing = at(server.url(), "--node", worker.node);
    const redis = server.client();
    await expect.poll(() => redis.keys("*.reply.celery.pidbox"), { timeout: 5_000 }).toHaveLength(1);
    await server.stop();
    expectLine(
      await probing,
      1,
      /^unknown: broker-unreachable: redis:\S+ closed the connection \(\w+\); hint: Redis was restarted/,
      3_000,
    );
  });
});

describe("a real Redis that refuses", () => {
  test("is reported when the password is wrong, missing or not wanted", async () => {
    const guarded = await startServer({ password: "hunter2" });
    const open = await startServer();
    started.push(guarded, open);
    const wrong = await at(`redis://:hunter3@127.0.0.1:${guarded.port}/0`);
    const missing = await at(`redis://127.0.0.1:${guarded.port}/0`);
    const unwanted = await at(`redis://:hunter2@127.0.0.1:${open.port}/0`);
    expectLine(
      wrong,
      1,
      /^unknown: broker-refused: \S+ did not accept the user name or password: WRONGPASS/,
      SOON_MS,
    );
    expectLine(
      missing,
      1,
      /^unknown: broker-refused: \S+ wants a password: NOAUTH .*; hint: set it in the broker URL/,
      SOON_MS,
    );
    expectLine(
      unwanted,
      1,
      /^unknown: broker-refused: \S+ has no password set, and the broker URL sends one/,
      SOON_MS,
    );
    expect(wrong.stdout + unwanted.stdout).not.toMatch(/hunter/);
  });

  test("is reported when a script keeps Redis busy, and the worker is healthy afterwards", async () => {
    const { server, worker } = await world();
    const [redis, other] = [server.client(), server.client()];
    // Both are connected before: a connection is refused as long as the script runs.
    await Promise.all([redis.config("SET", "lua-time-limit", "50"), other.ping()]);
    const running = redis.eval("while true do end", 0).catch(() => null);
    await expect.poll(() => other.ping().catch(String)).toMatch(/BUSY/);
    expectLine(
      await at(server.url(), "--node", worker.node),
      1,
      /^unknown: broker-refused: \S+ runs a script that does not end: BUSY .*; hint: .*SCRIPT KILL/,
      SOON_MS,
    );
    await other.script("KILL");
    await running;
    await expect.poll(async () => (await probeNode(server, worker.node)).exitCode).toBe(0);
    await assertWorkerIsWell(worker);
  });

  test("does not reveal a password when the server does not know AUTH", async () => {
    const server = await startServer({ args: ["--rename-command", "AUTH", ""] });
    started.push(server);
    for (const output of ["text", "json"]) {
      const probed = await at(`redis://:hunter2@127.0.0.1:${server.port}/0`, `--output=${output}`);
      expect(probed.exitCode).toBe(1);
      expect(probed.stdout).toContain("unknown command 'AUTH'");
      expect(probed.stdout + probed.stderr).not.toContain("hunter2");
    }
  });

  test("is not a refusal when the user needs no password, and the worker has none either", async () => {
    const { server, worker } = await world();
    await server.client().call("ACL", "SETUSER", "bob", "reset", "on", "nopass", "~*", "&*", "+@all");
    await server.client().call("ACL", "SETUSER", "default", "off");
    const probed = await at(`redis://bob@127.0.0.1:${server.port}/0`, "--node", worker.node);
    expectLine(probed, 0, /^healthy: alive: /, SOON_MS);
  });

  test("is reached when the URL ends with the line end of its secret", async () => {
    const { server, worker } = await world();
    expectLine(await at(`${server.url()}\r\n`, "--node", worker.node), 0, /^healthy: alive: /, SOON_MS);
  });

  test("is reported when the database does not exist", async () => {
    const { server } = await world();
    expectLine(
      await at(server.url(99)),
      1,
      /^unknown: broker-refused: \S+ has no such database: ERR/,
      SOON_MS,
    );
  });

  test("is reported when memory is used up, and no worker is asked", async () => {
    const { server, worker } = await world();
    const redis = server.client();
    await redis.config("SET", "maxmemory-policy", "noeviction");
    await redis.config("SET", "maxmemory", "1");
    const probed = await probeNode(server, worker.node);
    await redis.config("SET", "maxmemory", "0");
    expectLine(
      probed,
      1,
      /^unknown: broker-refused: \S+ is out of memory, so no worker was asked: OOM/,
      SOON_MS,
    );
    await assertWorkerIsWell(worker);
    expectLine(await probeNode(server, worker.node), 0, /^healthy: alive/, SOON_MS);
  });

  test("is reported when it is a replica", async () => {
    const primary = await startServer();
    const replica = await startServer({ args: ["--replicaof", "127.0.0.1", String(primary.port)] });
    started.push(primary, replica);
    expectLine(
      await at(replica.url()),
      1,
      /^unknown: broker-refused: \S+ is a read-only replica: READONLY/,
      SOON_MS,
    );
  });

  test("is reported when a key of ours holds another type, and no worker is asked", async () => {
    const { server, worker } = await world();
    await probeNode(server, worker.node);
    const redis = server.client();
    const [key = ""] = await redis.keys("*.reply.celery.pidbox");
    await redis.del(key);
    await redis.hset(key, "field", "value");
    await redis.expire(key, 86_400);
    const probed = await probeNode(server, worker.node);
    expectLine(
      probed,
      1,
      new RegExp(`holds another type, so no worker was asked: ${key} is a hash; hint: delete`),
      SOON_MS,
    );
    await redis.del(key);
    await assertWorkerIsWell(worker);
  });
});

describe("a user with an ACL", () => {
  const LEAST =
    "~*.reply.celery.pidbox &/*.celery.pidbox +select +type +multi +exec +rpush +ltrim +expire +publish +lrange";
  // Each test sets the rules of its user, so one worker serves all tests.
  let server: Server;
  let worker: Worker;
  beforeAll(async () => {
    server = await startServer();
    worker = await startWorker({ server, celery: "5.5.3" });
  });
  afterAll(async () => {
    await worker.killAll();
    await server.stop();
  });
  let count = 0;
  async function probedWith(rules: string): Promise<Probed> {
    const name = `probe${++count}`;
    const redis = server.client();
    await redis.call("ACL", "SETUSER", name, "reset", "on", ">hunter2", ...rules.split(" "));
    redis.disconnect();
    return at(`redis://${name}:hunter2@127.0.0.1:${server.port}/0`, "--node", worker.node);
  }

  test("needs only the rules that the hint names", async () => {
    const probed = await probedWith(LEAST);
    expectLine(probed, 0, /^healthy: alive: /, SOON_MS);
    await expectOurKeys(server, 1);
    await assertWorkerIsWell(worker);
  });

  test.each(["type", "multi", "exec", "rpush", "ltrim", "expire", "lrange", "publish"])(
    "is told what it may not do when +%s is missing, and no worker is asked",
    async (command) => {
      const probed = await probedWith(LEAST.replace(` +${command}`, ""));
      const words = new RegExp(
        `^unknown: broker-refused: the user of \\S+ may not run ${command.toUpperCase()}: (EXECABORT .*)?NOPERM .*; hint: `,
      );
      expectLine(probed, 1, words, SOON_MS);
      expect(probed.stdout).toContain(LEAST);
      await assertWorkerIsWell(worker);
    },
  );

  test.each([
    ["keys", "~*.reply.celery.pidbox", "RPUSH|TYPE"],
    ["channels", "&/*.celery.pidbox", "PUBLISH"],
  ])("is told what it may not do when its %s are others", async (_, rule, command) => {
    const probed = await probedWith(LEAST.replace(rule, rule.replace("celery", "other")));
    expectLine(
      probed,
      1,
      new RegExp(`^unknown: broker-refused: the user of \\S+ may not run (${command}): NOPERM`),
      SOON_MS,
    );
    await assertWorkerIsWell(worker);
  });
});

describe("what no real Redis can do", () => {
  const against = async (server: ScriptedServer, ...args: string[]) => {
    started.push(server);
    return at(`redis://:hunter2@127.0.0.1:${server.port}/0`, ...args);
  };

  test.each([
    [
      "it loads its data",
      "TYPE",
      "-LOADING Redis is loading the dataset in memory\r\n",
      "is still loading its data",
    ],
    ["it is in a cluster", "RPUSH", "-MOVED 866 127.0.0.1:7001\r\n", "is a Redis Cluster"],
    [
      "it does not know MULTI",
      "MULTI",
      "-ERR unknown command 'MULTI'\r\n",
      "does not know MULTI, so no worker was asked",
    ],
    ["it is full of clients", "AUTH", "-ERR max number of clients reached\r\n", "has no connection left"],
    ["it is a web server", "AUTH", "HTTP/1.1 400 Bad Request\r\n\r\n", "does not speak Redis' protocol"],
  ])("is said when %s", async (_, command, reply, words) => {
    const server = await scriptedServer((received, inTransaction) =>
      received[0] === command ? reply : wellBehaved(received, inTransaction),
    );
    const probed = await against(server);
    expectLine(
      probed,
      1,
      new RegExp(`^unknown: broker-refused: redis://:\\*\\*\\*@\\S+ ${words}.*; hint: `),
      SOON_MS,
    );
    const names = server.received.map(([name]) => name);
    if (command === "RPUSH") expect(names.at(-1)).toBe("EXEC");
    else expect(names).not.toContain("PUBLISH");
  });

  test("is reported when it is in protected mode, says so at once and hangs up", async () => {
    const greeting = "-DENIED Redis is running in protected mode because protected mode is enabled.\r\n";
    const probed = await against(await scriptedServer(() => HANG_UP, greeting));
    expectLine(
      probed,
      1,
      /^unknown: broker-refused: \S+ is in protected mode and answers only its own/,
      SOON_MS,
    );
  });

  test("ends in time when the server accepts and never answers", async () => {
    const probed = await against(
      await scriptedServer(() => SILENCE),
      "--connect-timeout=10s",
      "--deadline=1s",
    );
    expectLine(
      probed,
      1,
      /^unknown: broker-unreachable: \S+ accepted the connection but did not answer within \d+ ms/,
      1_500,
    );
  });

  test("ends in time when the answer comes byte by byte without end", async () => {
    const server = await scriptedServer((received, inTransaction) =>
      received[0] === "EXEC" ? "*100\r\n" : wellBehaved(received, inTransaction),
    );
    const probed = await against(server, "--connect-timeout=10s", "--deadline=1s");
    expectLine(
      probed,
      1,
      /^unknown: broker-unreachable: \S+ accepted the connection but did not answer/,
      1_500,
    );
  });

  test("ends in time when attempts to connect get no answer", async () => {
    const { port, child } = await blackHole();
    const probed = await at(`redis://127.0.0.1:${port}/0`, "--connect-timeout=500ms");
    child.kill("SIGKILL");
    expectLine(
      probed,
      1,
      /^unknown: broker-unreachable: \S+ did not accept the connection within 500 ms; hint: is that machine/,
      1_500,
    );
  });
});

/**
 * A listening socket that nobody accepts from, with a full queue. The kernel drops further attempts, as a firewall
 * does.
 */
async function blackHole() {
  const script =
    "import socket, time\n" +
    "s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen(0)\n" +
    "fill = [socket.socket() for _ in range(4)]\n" +
    "for f in fill: f.setblocking(False); f.connect_ex(s.getsockname())\n" +
    "time.sleep(0.2); print(s.getsockname()[1], flush=True); time.sleep(60)\n";
  const child = spawn("python3", ["-c", script], { stdio: ["ignore", "pipe", "inherit"] });
  const [bytes] = (await once(child.stdout, "data")) as [Buffer];
  return { port: Number(bytes.toString()), child };
}
