import { certificates } from "../world/certificates.ts";
import type { CeleryVersion } from "../world/pairs.ts";
import { type Own, owner } from "../world/owner.ts";
import { startSentinels } from "../world/sentinel.ts";
import { freePort } from "../world/server.ts";
import { EMBEDDED } from "../world/server-binary.ts";
import { startWorker } from "../world/worker.ts";
import type { WorkerOptions } from "../world/worker-command.ts";
import { expectLine, probe } from "./probe.ts";

/** A broker, the settings of its workers, and the probe's options in addition to the workers' URL. */
interface Kind {
  readonly worker: WorkerOptions & { readonly celery?: undefined };
  readonly url: string;
  readonly words?: readonly string[];
  /** For Celery 5.2.7, if its own redis-py lacks the feature. */
  readonly olderRedisPy?: string;
}

/** The brokers that people use. docs/brokers.md has a row for each. */
export const KINDS: Readonly<Record<string, (own: Own) => Promise<Kind>>> = {
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
  ...Object.fromEntries(
    EMBEDDED.map(([name, flavour]) => [
      name,
      async ({ server }: Own) => {
        const broker = await server({ flavour });
        return { worker: { server: broker }, url: broker.url() };
      },
    ]),
  ),
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

/** Checks that a worker on a broker of that kind is alive. */
export async function expectAlive(celery: CeleryVersion, kind: string): Promise<void> {
  await using own = owner();
  const make = KINDS[kind];
  if (make === undefined) throw new Error(`no kind of broker is called '${kind}'`);
  const { worker: options, url, words = [], olderRedisPy } = await make(own);
  const older = celery === "5.2.7" && olderRedisPy !== undefined ? { redisPy: olderRedisPy } : {};
  const worker = await own.keep(startWorker({ ...options, ...older, celery, pool: "solo" }));
  const probed = await probe(["--node", worker.node, ...words], {
    CELERY_PROBE_BROKER: url,
    CELERY_PROBE_PLACEMENT: "remote",
  });
  expectLine(probed, 0, /^healthy: alive: /, 3_000);
}
