import { describe, expect, test } from "vitest";
import { certificates } from "../world/certificates.ts";
import { startContainer } from "../world/container.ts";
import { type Own, owner } from "../world/owner.ts";
import { startSentinels } from "../world/sentinel.ts";
import { freePort } from "../world/server.ts";
import { startWorker } from "../world/worker.ts";
import type { WorkerOptions } from "../world/worker-command.ts";
import { EXECUTABLE, expectLine, probe } from "./probe.ts";
import { until } from "../world/until.ts";

/** Brokers as they are found, each with real workers on it: docs/brokers.md has a row for each. */
/** A broker, what workers are told of it, and what the probe is told beyond the workers' URL. */
interface Kind {
  readonly worker: WorkerOptions & { readonly celery?: undefined };
  readonly url: string;
  readonly words?: readonly string[];
  /** Of 5.2.7, whose own cannot do what is wanted. */
  readonly olderRedisPy?: string;
}

const KINDS: Readonly<Record<string, (own: Own) => Promise<Kind>>> = {
  "redis:// with a password and a database": async ({ server }) => {
    const broker = await server({ password: "p@ss/w#rd" });
    return { worker: { server: broker, brokerUrl: broker.url(3) }, url: broker.url(3) };
  },
  "a user of ACL": async ({ server }) => {
    const broker = await server({ password: "of the default user" });
    const user = { username: "worker", password: "p@ss" };
    await broker.addUser(user, "~*", "&*", "+@all");
    return { worker: { server: broker, brokerUrl: broker.url(0, user) }, url: broker.url(0, user) };
  },
  "rediss:// without a word about certificates": async ({ server }) => {
    const broker = await server({ tls: { certificate: "selfSigned" } });
    return { worker: { server: broker, brokerUrl: broker.url() }, url: broker.url() };
  },
  "rediss:// with an authority": async ({ server }) => {
    const broker = await server({ tls: {} });
    const url = `${broker.url(1)}?ssl_cert_reqs=required&ssl_ca_certs=${(await certificates()).ca}`;
    return { worker: { server: broker, brokerUrl: url }, url };
  },
  "broker_use_ssl and a certificate of the clients": async ({ server }) => {
    const broker = await server({ tls: { clients: "yes" } });
    const { ca, client } = await certificates();
    const files = {
      ssl_ca_certs: ca,
      ssl_certfile: client.certificate,
      ssl_keyfile: client.key,
    };
    const url = broker.url().replace("rediss", "redis");
    return {
      worker: {
        server: broker,
        brokerUrl: url,
        settings: { broker_use_ssl: { ssl_cert_reqs: "CERT_REQUIRED", ...files } },
      },
      url,
      words: [
        ...["--ssl-ca-certs", ca],
        ...["--ssl-certfile", client.certificate],
        ...["--ssl-keyfile", client.key],
        ...["--ssl-check-hostname", "true"],
      ],
    };
  },
  "redis+socket://": async ({ server }) => {
    const broker = await server({ socket: true, password: "p@ss", args: ["--port", "0"] });
    return { worker: { server: broker, brokerUrl: broker.socketUrl(2) }, url: broker.socketUrl(2) };
  },
  "a list whose first server is gone": async ({ server }) => {
    const broker = await server();
    const url = `redis://127.0.0.1:${await freePort()}/2;${broker.url(2)}`;
    return { worker: { server: broker, brokerUrl: url }, url };
  },
  "a list whose first server wants another password": async ({ server }) => {
    const [broker, shut] = await Promise.all([server(), server({ password: "other" })]);
    const url = `redis://:wrong@127.0.0.1:${shut.port}/2;${broker.url(2)}`;
    return { worker: { server: broker, brokerUrl: url }, url, words: ["--placement", "remote"] };
  },
  "a list whose first server has no such database": async ({ server }) => {
    const [broker, small] = await Promise.all([server(), server({ args: ["--databases", "2"] })]);
    const url = `${small.url(9)};${broker.url(9)}`;
    return { worker: { server: broker, brokerUrl: url }, url, words: ["--placement", "remote"] };
  },
  "brokers to read and to write": async ({ server }) => {
    const [broker, writesTo] = await Promise.all([server(), server()]);
    return {
      worker: { server: broker, brokerUrl: broker.url(3), writesTo },
      url: broker.url(3),
      words: ["--broker-write-url", writesTo.url(3)],
    };
  },
  "names of its own": async ({ server }) => {
    const broker = await server();
    const broker_transport_options = { global_keyprefix: "gp:", fanout_prefix: "/x{db}." };
    return {
      worker: { server: broker, settings: { control_exchange: "own", broker_transport_options } },
      url: broker.url(),
      words: ["--global-keyprefix=gp:", "--fanout-prefix=/x{db}.", "--control-exchange=own"],
    };
  },
  "no fanout prefix": async ({ server }) => {
    const broker = await server();
    return {
      worker: { server: broker, settings: { broker_transport_options: { fanout_prefix: false } } },
      url: broker.url(),
      words: ["--fanout-prefix=false"],
    };
  },
  Valkey: async ({ server }) => {
    const broker = await server({ flavour: "valkey" });
    return { worker: { server: broker }, url: broker.url() };
  },
  "Redis 6.2": async ({ server }) => {
    const broker = await server({ flavour: "redis-6.2" });
    return { worker: { server: broker }, url: broker.url() };
  },
  "Sentinels with passwords": async ({ keep }) => {
    const sentinels = await keep(startSentinels({ password: "p@ss", sentinelPassword: "other" }));
    return {
      worker: { sentinels, brokerUrl: sentinels.url(2) },
      url: sentinels.url(2),
      words: ["--sentinel-password=other", "--master-name=mymaster"],
      olderRedisPy: "4.6.0",
    };
  },
  "Sentinels over TLS": async ({ keep }) => {
    const sentinels = await keep(startSentinels({ tls: {} }));
    return {
      worker: { sentinels },
      url: sentinels.url(),
      words: ["--tls", "--sentinel-tls", "--ssl-ca-certs", (await certificates()).ca],
      olderRedisPy: "4.6.0",
    };
  },
};

describe.each(["5.7.0", "5.2.7"] as const)("a worker of Celery %s is alive", (celery) => {
  test.concurrent.each(Object.entries(KINDS))("when its broker has %s", async (_, kind) => {
    await using own = owner();
    const { worker: options, url, words = [], olderRedisPy } = await kind(own);
    const older = celery === "5.2.7" && olderRedisPy !== undefined ? { redisPy: olderRedisPy } : {};
    const worker = await own.keep(startWorker({ ...options, ...older, celery, pool: "solo" }));
    const probed = await probe(["--node", worker.node, ...words], {
      CELERY_PROBE_BROKER: url,
      CELERY_PROBE_PLACEMENT: "remote",
    });
    expectLine(probed, 0, /^healthy: alive: /, 3_000);
  });
});

const remote = (url: string, node: string, ...words: string[]) =>
  probe(["--node", node, ...words], { CELERY_PROBE_BROKER: url, CELERY_PROBE_PLACEMENT: "remote" });

const ALIVE = /^healthy: alive: /;

test.concurrent(
  "a worker is alive when it sends a password that nobody asked for, as redis-py 8 can",
  async () => {
    await using own = owner();
    const { keep, server } = own;
    const broker = await server();
    const url = broker.url(2).replace("//", "//:unasked@");
    const worker = await keep(startWorker({ server: broker, brokerUrl: url, pool: "solo" }));
    expectLine(await remote(url, worker.node), 0, ALIVE, 3_000);
    const gone = await remote(url, "gone@world", "--retries=0");
    expectLine(gone, 1, /^unknown: undecided: /, 5_000);
  },
);

test.concurrent(
  "a worker is alive when its kombu does not know the global_keyprefix that it is told",
  async () => {
    await using own = owner();
    const { keep, server } = own;
    const broker = await server();
    const settings = { broker_transport_options: { global_keyprefix: "gp:" } };
    const worker = await keep(startWorker({ server: broker, settings, celery: "5.0.5", pool: "solo" }));
    expectLine(await remote(broker.url(), worker.node, "--global-keyprefix=gp:"), 0, ALIVE, 3_000);
    // Nothing is asked of everybody whose names are others.
    expectLine(await remote(broker.url(), worker.node, "--global-keyprefix=other:"), 0, ALIVE, 3_000);
  },
);

test.concurrent(
  "workers are alive when they come by Sentinels from before and after kombu 5.4.0",
  async () => {
    await using own = owner();
    const { keep } = own;
    const sentinels = await keep(startSentinels());
    const newer = await keep(startWorker({ sentinels, pool: "solo" }));
    const older = await keep(startWorker({ sentinels, celery: "5.2.7", redisPy: "4.6.0", pool: "solo" }));
    expectLine(await remote(sentinels.url(), newer.node), 0, ALIVE, 1_500);
    expectLine(await remote(sentinels.url(), older.node), 0, ALIVE, 1_500);
    expectLine(await remote(sentinels.url(), "gone@x", "--retries=0"), 1, /^unknown: undecided: /, 5_000);
  },
);

describe("of a list", () => {
  test.concurrent(
    "the server counts that the worker is connected to, though the first is well again",
    async () => {
      await using own = owner();
      const { keep, server } = own;
      const port = await freePort();
      const second = await server();
      const url = `redis://127.0.0.1:${port}/0;${second.url()}`;
      const container = await keep(startContainer());
      const worker = await container.startWorker({ server: second, brokerUrl: url, pool: "solo" });
      await server({ port });
      const { stdout, exitCode } = await container.run(EXECUTABLE, ["--verbose"]);
      expect(stdout).toMatch(new RegExp(`^healthy: alive: ${worker.node} `));
      expect(stdout).toContain(`server:      127.0.0.1:${second.port}, database 0`);
      expect(exitCode).toBe(0);
    },
  );

  test.concurrent("the first is named when none can be reached", async () => {
    const [one, two] = [await freePort(), await freePort()];
    const url = `redis://127.0.0.1:${one}/0;redis://127.0.0.1:${two}/0`;
    const line = new RegExp(`^unknown: broker-unreachable: 127\\.0\\.0\\.1:${one} refused the connection`);
    expectLine(await remote(url, "x@y"), 1, line, 2_000);
  });
});

/** What may be said of a worker while its master is replaced. */
const IN_A_FAILOVER =
  /^(healthy: (alive|busy): |unknown: broker-unreachable: |unknown: undecided: \S+ is not connected to )/;

test.concurrent(
  "a worker is called neither dead nor sick while Sentinels replace its master, and is alive again",
  async () => {
    await using own = owner();
    const { keep } = own;
    const sentinels = await keep(startSentinels());
    const container = await keep(startContainer());
    const worker = await container.startWorker({ sentinels });
    const lines: string[] = [];
    let isOver = false;
    const probing = (async () => {
      while (!isOver) lines.push((await container.run(EXECUTABLE)).stdout.trimEnd());
    })();
    await sentinels.failover();
    await sentinels.killMaster();
    await until("it is alive three times", () => lines.slice(-3).every((line) => ALIVE.test(line)));
    isOver = true;
    await probing;
    expect(lines.filter((line) => !IN_A_FAILOVER.test(line))).toEqual([]);
    // Else nothing was seen of the failover.
    expect(lines.filter((line) => !ALIVE.test(line))).not.toEqual([]);
    expect(worker.isRunning).toBe(true);
  },
  150_000,
);

test.concurrent("a blocked worker is busy, and alive again, when it comes by a unix socket", async () => {
  await using own = owner();
  const { keep, server } = own;
  const broker = await server({ socket: true });
  const container = await keep(startContainer());
  const options = { server: broker, brokerUrl: broker.socketUrl(), pool: "solo" } as const;
  const worker = await container.startWorker(options);
  await worker.taskStarted(await worker.submit("nap", 6));
  const ask = async () => (await container.run(EXECUTABLE)).stdout.trimEnd();
  expect(await ask()).toMatch(/^healthy: busy: .* for how long cannot be seen here/);
  await until("it is alive", async () => ALIVE.test(await ask()));
  await worker.killAll();
  expect(await ask()).toMatch(/^unhealthy: dead: /);
});

test.concurrent("a blocked worker is busy when its broker has no CLIENT and PUBSUB", async () => {
  await using own = owner();
  const { keep, server } = own;
  const without = ["CLIENT", "PUBSUB"].flatMap((command) => ["--rename-command", command, ""]);
  const broker = await server({ args: without });
  const container = await keep(startContainer());
  const worker = await container.startWorker({ server: broker, pool: "solo" });
  await worker.taskStarted(await worker.submit("nap", 30));
  const { stdout } = await container.run(EXECUTABLE);
  expect(stdout).toMatch(new RegExp(`^healthy: busy: ${worker.node} silent`));
});
