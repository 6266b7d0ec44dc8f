import { on } from "node:events";
import { Redis } from "ioredis";
import { certificates, type Certificates, trustingClient } from "./certificates.ts";
import { type Server, startServer, type ServerOptions, type TlsOptions } from "./server.ts";
import type { Flavour } from "./server-binary.ts";
import { until } from "./until.ts";

export interface SentinelsOptions {
  /** For servers and Sentinels. */
  readonly flavour?: Flavour;
  /** The Sentinels' names of the masters. Each master has two replicas. Default: `mymaster`. */
  readonly masters?: readonly [string, ...string[]];
  /** For the servers' default user; goes into {@link Sentinels.url}. */
  readonly password?: string;
  /** For the Sentinels' default user; goes into {@link Sentinels.settings}. */
  readonly sentinelPassword?: string;
  /** For servers and Sentinels. They also use TLS between each other. */
  readonly tls?: Pick<TlsOptions, "certificate" | "clients">;
}

const DEFAULT_NAME = "mymaster";
const REPLICAS = 2;
const SENTINELS = 3;

/** Longer than a pause of a machine with busy cores. Such a pause must not look like the end of a master. */
const DOWN_AFTER_MS = 2_000;
const FAILOVER_TIMEOUT_MS = 5_000;

/**
 * How often the Sentinels look, in milliseconds. Redis' own periods are 1, 2 and 10 s. These are a tenth. They decide
 * how long a failover and the conversion of the old master take (four publish periods and one info period).
 */
const PERIODS = { "PING-PERIOD": 200, "PUBLISH-PERIOD": 200, "INFO-PERIOD": 1_000 } as const;

/** Enough for a busy machine where a few seconds would suffice otherwise. */
const PATIENCE_MS = 60_000;

/**
 * Three Sentinels and the servers that they watch, all on loopback, all for one test. Ends with `await using`.
 *
 * A healthy master that was replaced stays master, with its clients, until the Sentinels convert it. That takes a
 * second or two, or 20 s without SENTINEL DEBUG (Redis 6.2).
 */
export class Sentinels implements AsyncDisposable {
  /** In the order of {@link url}. */
  readonly sentinels: readonly Server[];
  readonly #servers: readonly Server[];
  readonly #options: SentinelsOptions;
  readonly #files: Certificates | undefined;
  readonly #owned: AsyncDisposableStack;
  readonly #clients = new Set<Redis>();

  /** Only `startSentinels` makes one. */
  constructor(
    sentinels: readonly Server[],
    servers: readonly Server[],
    options: SentinelsOptions,
    files: Certificates | undefined,
    owned: AsyncDisposableStack,
  ) {
    this.sentinels = sentinels;
    this.#servers = servers;
    this.#options = options;
    this.#files = files;
    this.#owned = owned;
  }

  /**
   * kombu's URL, e.g. `sentinel://:secret@127.0.0.1:40123/0;sentinel://127.0.0.1:40124;…`. The password is the
   * servers'.
   */
  url(db = 0): string {
    const { password } = this.#options;
    const userinfo = password === undefined ? "" : `:${encodeURIComponent(password)}@`;
    const [first, ...others] = this.sentinels.map(({ port }) => `127.0.0.1:${port}`);
    return [`${userinfo}${first}/${db}`, ...others].map((rest) => `sentinel://${rest}`).join(";");
  }

  /** Celery's settings that belong to {@link url}. */
  settings(name = this.#firstName): Record<string, Record<string, unknown>> {
    const { sentinelPassword } = this.#options;
    const tls =
      this.#files === undefined
        ? undefined
        : {
            ssl_cert_reqs: "required",
            ssl_ca_certs: this.#files.ca,
            ssl_certfile: this.#files.client.certificate,
            ssl_keyfile: this.#files.client.key,
          };
    const sentinel = {
      ...(sentinelPassword === undefined ? {} : { password: sentinelPassword }),
      ...(tls === undefined ? {} : { ssl: true, ...tls }),
    };
    return {
      broker_transport_options: { master_name: name, sentinel_kwargs: sentinel },
      ...(tls === undefined ? {} : { broker_use_ssl: tls }),
    };
  }

  /** The current master according to the first running Sentinel. */
  async master(name = this.#firstName): Promise<Server> {
    const [sentinel] = this.#running;
    if (sentinel === undefined) throw new Error("no Sentinel runs");
    return this.#serverAt(await addressOf(sentinel, name));
  }

  /** A new connection to the current master, now and after a failover. It is closed at the end. */
  client(db = 0, name = this.#firstName): Redis {
    const { password, sentinelPassword } = this.#options;
    const tls = this.#files === undefined ? undefined : trustingClient(this.#files);
    const redis = new Redis({
      sentinels: this.#running.map(({ port }) => ({ host: "127.0.0.1", port })),
      name,
      db,
      failoverDetector: true,
      ...(password === undefined ? {} : { password }),
      ...(sentinelPassword === undefined ? {} : { sentinelPassword }),
      ...(tls === undefined ? {} : { tls, sentinelTLS: tls, enableTLSForSentinelMode: true }),
    });
    redis.on("error", () => undefined);
    redis.on("end", () => this.#clients.delete(redis));
    this.#clients.add(redis);
    return redis;
  }

  /**
   * Makes the Sentinels promote a replica. Resolves when every running Sentinel names the new master, and that server
   * says that it is one.
   *
   * @returns the new master
   */
  failover(name = this.#firstName): Promise<Server> {
    return this.#replaced(name, async () => {
      const [sentinel] = this.#running;
      if (sentinel === undefined) throw new Error("no Sentinel runs");
      await until(`a failover of ${name} can begin`, () => beginsFailover(sentinel, name));
    });
  }

  /** Sends SIGKILL to the master. Resolves like {@link failover}. */
  killMaster(name = this.#firstName): Promise<Server> {
    return this.#replaced(name, async () => {
      const master = await this.master(name);
      for (const sentinel of this.#running) {
        await until(`a replica of ${name} can take over`, async () => (await heirs(sentinel, name)) > 0);
      }
      await master.stop();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const redis of this.#clients) redis.disconnect();
    await this.#owned.disposeAsync();
  }

  get #firstName(): string {
    return this.#options.masters?.[0] ?? DEFAULT_NAME;
  }

  get #running(): readonly Server[] {
    return this.sentinels.filter(({ isRunning }) => isRunning);
  }

  #serverAt(port: number): Server {
    const server = this.#servers.find((candidate) => candidate.port === port);
    if (server === undefined) throw new Error(`no server of ours listens on port ${port}`);
    return server;
  }

  async #replaced(name: string, cause: () => Promise<void>): Promise<Server> {
    const late = AbortSignal.timeout(PATIENCE_MS);
    const watchers = this.#running.map((sentinel) => sentinel.client());
    try {
      const switches = watchers.map((redis) => on(redis, "message", { signal: late }));
      await Promise.all(watchers.map((redis) => redis.subscribe("+switch-master")));
      await cause();
      await Promise.all(switches.map((messages) => untilSwitched(messages, name)));
      // On a slow machine, a late Sentinel makes the new master a replica again. Then they choose again.
      let master = await this.master(name);
      await until(`one server is the master of ${name} for all Sentinels`, async () => {
        master = await this.master(name);
        const ports = await Promise.all(this.#running.map((sentinel) => addressOf(sentinel, name)));
        return (await roleOf(master)) === "master" && ports.every((port) => port === master.port);
      });
      return master;
    } catch (error) {
      if (!late.aborted) throw error;
      throw this.#problem(`the master of ${name} was not replaced within ${PATIENCE_MS} ms`);
    } finally {
      for (const redis of watchers) redis.disconnect();
    }
  }

  #problem(fact: string): Error {
    const logs = this.sentinels.map((sentinel) => sentinel.log().slice(-1500));
    return new Error(`${fact}; the ends of the Sentinels' logs:\n${logs.join("\n")}`);
  }
}

/**
 * Starts servers and Sentinels. Resolves when every Sentinel knows every other one and every replica, and all replicas
 * follow their master.
 *
 * @throws Error if no server binary can be found, or with the end of a log if one does not start
 */
export async function startSentinels(options: SentinelsOptions = {}): Promise<Sentinels> {
  const { masters = [DEFAULT_NAME], sentinelPassword } = options;
  const files = options.tls === undefined ? undefined : await certificates();
  await using owned = new AsyncDisposableStack();
  const groups = await Promise.all(
    masters.map(async (name) => ({ name, servers: await startGroup(owned, options) })),
  );
  const config = groups.map(({ name, servers: [master] }) => monitor(name, master.port, options)).join("");
  const sentinels = await Promise.all(
    Array.from({ length: SENTINELS }, () =>
      start(owned, {
        ...common(options),
        ...(sentinelPassword === undefined ? {} : { password: sentinelPassword }),
        config: `${config}${sentinelPassword === undefined ? "" : `sentinel sentinel-pass ${quoted(sentinelPassword)}\n`}`,
        args: [...replicationArgs(options), "--sentinel"],
      }),
    ),
  );
  for (const sentinel of sentinels) await quicken(sentinel);
  for (const sentinel of sentinels) {
    for (const name of masters) await until(`all know all of ${name}`, () => knowsAll(sentinel, name));
  }
  const servers = groups.flatMap((group) => group.servers);
  return new Sentinels(sentinels, servers, options, files, owned.move());
}

type Group = readonly [Server, ...Server[]];

/** A master and replicas that follow it. */
async function startGroup(owned: AsyncDisposableStack, options: SentinelsOptions): Promise<Group> {
  const { password } = options;
  const entrance = { ...common(options), ...(password === undefined ? {} : { password }) };
  const args = [
    ...replicationArgs(options),
    // A replica waits for others that might join it, by default 5 s.
    ...["--repl-diskless-sync", "yes", "--repl-diskless-sync-delay", "0"],
    ...(password === undefined ? [] : ["--masterauth", password]),
  ];
  const master = await start(owned, { ...entrance, args });
  const follow = [...args, "--replicaof", "127.0.0.1", String(master.port)];
  const replicas = await Promise.all(
    Array.from({ length: REPLICAS }, () => start(owned, { ...entrance, args: follow })),
  );
  const redis = master.client();
  const following = await redis.wait(REPLICAS, PATIENCE_MS);
  redis.disconnect();
  if (following < REPLICAS) throw new Error(`only ${following} replicas follow:\n${master.log()}`);
  return [master, ...replicas];
}

function common({ flavour, tls }: SentinelsOptions): Pick<ServerOptions, "flavour" | "tls"> {
  return { ...(flavour === undefined ? {} : { flavour }), ...(tls === undefined ? {} : { tls }) };
}

function replicationArgs({ tls }: SentinelsOptions): string[] {
  return tls === undefined ? [] : ["--tls-replication", "yes"];
}

async function start(owned: AsyncDisposableStack, options: ServerOptions): Promise<Server> {
  return owned.use(await startServer(options));
}

function monitor(name: string, port: number, { password }: SentinelsOptions): string {
  const lines = [
    `monitor ${name} 127.0.0.1 ${port} ${Math.floor(SENTINELS / 2) + 1}`,
    `down-after-milliseconds ${name} ${DOWN_AFTER_MS}`,
    `failover-timeout ${name} ${FAILOVER_TIMEOUT_MS}`,
    ...(password === undefined ? [] : [`auth-pass ${name} ${quoted(password)}`]),
  ];
  return lines.map((line) => `sentinel ${line}\n`).join("");
}

/** In the form of a configuration file. */
function quoted(text: string): string {
  return `"${text.replaceAll(/["\\]/g, "\\$&")}"`;
}

async function quicken(sentinel: Server): Promise<void> {
  const periods = Object.entries(PERIODS).flatMap(([name, ms]) => [name, String(ms)]);
  try {
    await ask(sentinel, "DEBUG", ...periods);
  } catch (error) {
    if (!/unknown subcommand/i.test(String(error))) throw error;
  }
}

/** A Sentinel's answer to `SENTINEL …`. */
async function ask(sentinel: Server, ...words: readonly string[]): Promise<unknown> {
  const redis = sentinel.client();
  try {
    return await redis.call("SENTINEL", ...words);
  } finally {
    redis.disconnect();
  }
}

async function addressOf(sentinel: Server, name: string): Promise<number> {
  const address = await ask(sentinel, "GET-MASTER-ADDR-BY-NAME", name);
  if (!Array.isArray(address)) throw new Error(`the Sentinels know no master ${name}`);
  return Number(address[1]);
}

async function knowsAll(sentinel: Server, name: string): Promise<boolean> {
  const master = fields(await ask(sentinel, "MASTER", name));
  const others = Number(master.get("num-other-sentinels"));
  if (master.get("flags") !== "master" || others < SENTINELS - 1) return false;
  return (await heirs(sentinel, name)) === REPLICAS;
}

/** How many replicas could take over according to this Sentinel. */
async function heirs(sentinel: Server, name: string): Promise<number> {
  const replicas = await ask(sentinel, "REPLICAS", name);
  if (!Array.isArray(replicas)) throw new Error(`SENTINEL REPLICAS ${name} is no list`);
  const well = replicas
    .map(fields)
    .filter((replica) => replica.get("flags") === "slave" && replica.get("master-link-status") === "ok");
  return well.length;
}

function fields(flat: unknown): ReadonlyMap<string, string> {
  if (!Array.isArray(flat)) throw new Error("Sentinel's answer is no list");
  const words = flat.map(String);
  return new Map(words.flatMap((word, i) => (i % 2 === 0 ? [[word, words[i + 1] ?? ""] as const] : [])));
}

/** False while the Sentinel has not yet seen the end of the last failover, or the replicas after it. */
async function beginsFailover(sentinel: Server, name: string): Promise<boolean> {
  try {
    await ask(sentinel, "FAILOVER", name);
    return true;
  } catch (error) {
    if (/^(NOGOODSLAVE|INPROG)/.test((error as Error).message)) return false;
    throw error;
  }
}

/** Resolves at the next `+switch-master` of this name: `<name> <old ip> <old port> <new ip> <new port>`. */
async function untilSwitched(messages: AsyncIterable<unknown[]>, name: string): Promise<void> {
  for await (const [, text] of messages) {
    if (String(text).split(" ")[0] === name) return;
  }
  throw new Error("the Sentinel's messages have ended");
}

async function roleOf(server: Server): Promise<string> {
  const redis = server.client();
  const [role] = await redis.role();
  redis.disconnect();
  return String(role);
}
