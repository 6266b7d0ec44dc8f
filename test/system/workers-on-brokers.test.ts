import { describe, expect, test } from "vitest";
import { certificates } from "../world/certificates.ts";
import { type Own, owner } from "../world/owner.ts";
import { countListeners } from "../world/pidbox-by-hand.ts";
import { startSentinels } from "../world/sentinel.ts";
import { freePort } from "../world/server.ts";
import { EMBEDDED } from "../world/server-binary.ts";
import { until } from "../world/until.ts";
import type { WorkerOptions } from "../world/worker-command.ts";
import { assertWorkerIsWell, startWorker } from "../world/worker.ts";

/** How workers behave on the brokers of the test world, observed without the probe. */

/** The options of a worker, except its version. */
type OnBroker = WorkerOptions & { readonly celery?: undefined };

describe("workers of Celery 5.7.0 and 5.2.7 answer and work", () => {
  const BROKERS: Readonly<Record<string, (own: Own) => Promise<OnBroker>>> = {
    "TLS and wants a certificate of theirs": async ({ server }) => {
      const broker = await server({ tls: { clients: "yes" }, password: "p@ss" });
      const { ca, client } = await certificates();
      const broker_use_ssl = {
        ...{ ssl_cert_reqs: "CERT_REQUIRED", ssl_ca_certs: ca },
        ...{
          ssl_certfile: client.certificate,
          ssl_keyfile: client.encryptedKey,
          ssl_password: client.passphrase,
        },
      };
      return { server: broker, settings: { broker_use_ssl } };
    },
    "TLS as their URL says": async ({ server }) => {
      const broker = await server({ tls: {} });
      const { ca } = await certificates();
      return { server: broker, brokerUrl: `${broker.url(1)}?ssl_cert_reqs=required&ssl_ca_certs=${ca}` };
    },
    "a socket alone": async ({ server }) => {
      const broker = await server({ socket: true, password: "p@ss", args: ["--port", "0"] });
      return { server: broker, brokerUrl: broker.socketUrl(2) };
    },
    "a URL that comes second in a list": async ({ server }) => {
      const broker = await server();
      return { server: broker, brokerUrl: `redis://127.0.0.1:${await freePort()}/2;${broker.url(2)}` };
    },
    "one server to read and one to write": async ({ server }) => {
      const [broker, writesTo] = await Promise.all([server(), server()]);
      return { server: broker, brokerUrl: broker.url(3), writesTo };
    },
    "other names for channel and keys": async ({ server }) => {
      const broker_transport_options = { global_keyprefix: "gp:", fanout_prefix: "/x{db}." };
      return {
        server: await server(),
        settings: { control_exchange: "own", broker_transport_options },
      };
    },
    "a user of their own": async ({ server }) => {
      const broker = await server({ password: "of the default user" });
      const user = { username: "worker", password: "p@ss" };
      await broker.addUser(user, "~*", "&*", "+@all");
      return { server: broker, brokerUrl: broker.url(0, user) };
    },
    ...Object.fromEntries(
      EMBEDDED.map(([name, flavour]) => [
        name,
        async ({ server }: Own) => ({ server: await server({ flavour }) }),
      ]),
    ),
  };

  test.concurrent.each(Object.entries(BROKERS))("when their broker has %s", async (_, broker) => {
    await using own = owner();
    const options = await broker(own);
    const workers = await Promise.all(
      (["5.7.0", "5.2.7"] as const).map((celery) =>
        own.keep(startWorker({ ...options, celery, queues: [`of ${celery}`] })),
      ),
    );
    for (const worker of workers) await assertWorkerIsWell(worker);
  });

  test.concurrent("after failovers when their broker has Sentinels", async () => {
    await using own = owner();
    const { keep } = own;
    const sentinels = await keep(
      startSentinels({ password: 'of "the" servers', sentinelPassword: "of\\the Sentinels" }),
    );
    const workers = await Promise.all([
      keep(startWorker({ sentinels, celery: "5.7.0", queues: ["of 5.7.0"] })),
      // redis-py 4.5.5 cannot read through Sentinel: read_response() got an unexpected 'disconnect_on_error'.
      keep(startWorker({ sentinels, celery: "5.2.7", redisPy: "4.6.0", queues: ["of 5.2.7"] })),
    ]);
    expect(workers.map(({ channel }) => channel)).toEqual(["/0.celery.pidbox", "/{db}.celery.pidbox"]);
    for (const replace of ["failover", "killMaster"] as const) {
      const redis = (await sentinels[replace]()).client();
      for (const worker of workers) {
        // A healthy master keeps its clients for a while after a failover. This one must not be asked.
        const listeners = () => countListeners(redis, worker.channel);
        await until("one listens", async () => (await listeners()) === 1);
        expect(await worker.answers()).toBe(true);
        await assertWorkerIsWell(worker);
      }
    }
  });
});
