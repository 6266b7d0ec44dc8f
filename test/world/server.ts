import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { Redis, type RedisOptions } from "ioredis";
import { certificates, type Certificates, type ServerCertificate, trustingClient } from "./certificates.ts";
import { ProcessGroup } from "./process-group.ts";
import { type Flavour, serverBinary, tlsServerBinary } from "./server-binary.ts";

type ClientOptions = Pick<
  RedisOptions,
  | "username"
  | "password"
  | "protocol"
  | "enableReadyCheck"
  | "retryStrategy"
  | "maxRetriesPerRequest"
  | "commandTimeout"
>;

export interface ServerOptions {
  /** Default: the one on PATH, else the embedded Valkey. */
  readonly flavour?: Flavour;
  /** Default: a free one. Set it if a server must come back at the address of a stopped one. */
  readonly port?: number;
  /** Addresses of this machine that it listens on. The first is in {@link Server.url}. Default: `127.0.0.1`. */
  readonly hosts?: readonly [string, ...string[]];
  /** For the default user; it goes into {@link Server.url} too. */
  readonly password?: string;
  /** Listens with TLS on {@link Server.port}, and refuses clients without TLS. */
  readonly tls?: TlsOptions;
  /** Also listens on {@link Server.socketPath}. With `args: ["--port", "0"]` it listens only there. */
  readonly socket?: boolean;
  /** The content of a configuration file, for settings without an argument. */
  readonly config?: string;
  /** Further arguments of the server, e.g. `["--maxmemory", "1mb"]`. */
  readonly args?: readonly string[];
}

/** The files are made by {@link certificates}. */
export interface TlsOptions {
  /** The certificate that it shows. Default: `good`. */
  readonly certificate?: ServerCertificate;
  /** Whether clients must show a certificate of the authority. Default: no. */
  readonly clients?: "no" | "optional" | "yes";
  /** Also listens without TLS, at {@link Server.plainUrl}. */
  readonly alsoPlain?: boolean;
}

/** A user of Redis' ACL. */
export interface User {
  readonly username: string;
  readonly password: string;
}

/** Where a server listens, and what its default user needs to sign in. */
interface Entrance {
  readonly host: string;
  readonly port: number;
  readonly plainPort: number | undefined;
  readonly socketPath: string | undefined;
  readonly password: string | undefined;
  readonly tls: Certificates | undefined;
}

/**
 * The number of a user that no other test's worker has while the server runs. All worlds share the machine's network.
 * If we may not look into a process, only the user tells its sockets from the others.
 */
export function loneUser({ port }: Server): number {
  return port;
}

/**
 * A Redis or Valkey server for one test. It has its own port on loopback and its own folder, and writes nothing to
 * disk. Ends with `await using`, with `stop()`, or with this process.
 */
export class Server implements AsyncDisposable {
  /** The port of {@link url}. */
  readonly port: number;
  readonly pid: number;
  readonly #group: ProcessGroup;
  readonly #entrance: Entrance;
  readonly #clients = new Set<Redis>();

  /** Only `startServer` makes one. */
  constructor(group: ProcessGroup, entrance: Entrance) {
    this.#group = group;
    this.#entrance = entrance;
    this.port = entrance.port;
    this.pid = group.pid;
  }

  /** The server's own temporary folder. */
  get folder(): string {
    return this.#group.folder;
  }

  /** In the form that Celery and the probe read, e.g. `redis://:secret@127.0.0.1:40123/0`; with TLS `rediss://…`. */
  url(db = 0, user?: User): string {
    const scheme = this.#entrance.tls === undefined ? "redis" : "rediss";
    return `${scheme}://${this.#userinfo(user)}${this.#entrance.host}:${this.port}/${db}`;
  }

  /** `redis://…` of a server with TLS. @throws Error if it was not started with `alsoPlain` */
  plainUrl(db = 0, user?: User): string {
    const { plainPort } = this.#entrance;
    if (plainPort === undefined) throw new Error("the server was started without tls.alsoPlain");
    return `redis://${this.#userinfo(user)}127.0.0.1:${plainPort}/${db}`;
  }

  /** An absolute path. @throws Error if the server was not started with `socket` */
  get socketPath(): string {
    const { socketPath } = this.#entrance;
    if (socketPath === undefined) throw new Error("the server was started without a socket");
    return socketPath;
  }

  /** kombu's URL, e.g. `redis+socket://:secret@/tmp/…/redis.sock?virtual_host=0`. */
  socketUrl(db = 0, user?: User): string {
    return `redis+socket://${this.#userinfo(user)}${this.socketPath}?virtual_host=${db}`;
  }

  #userinfo(user: User | undefined): string {
    const password = user?.password ?? this.#entrance.password;
    if (password === undefined) return "";
    return `${encodeURIComponent(user?.username ?? "")}:${encodeURIComponent(password)}@`;
  }

  /**
   * A new connection of the default user, closed by `stop()`. Over TLS it shows a certificate, and accepts any server
   * certificate.
   */
  client(db = 0, options: ClientOptions = {}): Redis {
    const { password } = this.#entrance;
    const redis = new Redis({
      ...this.#address(),
      db,
      ...(password === undefined ? {} : { password }),
      ...options,
    });
    // Many tests break connections. The command that fails reports it.
    redis.on("error", () => undefined);
    redis.on("end", () => this.#clients.delete(redis));
    this.#clients.add(redis);
    return redis;
  }

  #address(): Pick<RedisOptions, "host" | "port" | "path" | "tls"> {
    const { socketPath, host, port, tls } = this.#entrance;
    if (socketPath !== undefined) return { path: socketPath };
    if (tls === undefined) return { host, port };
    return { host, port, tls: trustingClient(tls) };
  }

  /** Creates the user again, e.g. with the rules `~*`, `&*`, `+@all`. Without rules it may do nothing. */
  async addUser(user: User, ...rules: readonly string[]): Promise<void> {
    const redis = this.client();
    await redis.call("ACL", "SETUSER", user.username, "reset", "on", `>${user.password}`, ...rules);
    redis.disconnect();
  }

  /** Names of the keys that never expire, sorted. They show whether a probe has leaked keys. */
  async keysWithoutTtl(db = 0): Promise<string[]> {
    const redis = this.client(db);
    const found: string[] = [];
    for (const key of await redis.keys("*")) if ((await redis.pttl(key)) === -1) found.push(key);
    redis.disconnect();
    return found.sort();
  }

  /** Output so far. */
  log(): string {
    return this.#group.log;
  }

  get isRunning(): boolean {
    return this.#group.isRunning;
  }

  /** Sends SIGSTOP: connections stay open and nothing answers. */
  pause(): void {
    this.#group.signal("SIGSTOP");
  }

  resume(): void {
    this.#group.signal("SIGCONT");
  }

  /** Ends it at once (there is nothing to save) and closes the clients. */
  async stop(): Promise<void> {
    for (const redis of this.#clients) redis.disconnect();
    await this.#group.stop(0);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

/**
 * Starts a server and resolves when it answers.
 *
 * @throws Error if no server binary can be found, or with the end of the server's log if it does not start
 */
export async function startServer(options: ServerOptions = {}): Promise<Server> {
  const { flavour, tls, socket = false, password, hosts = ["127.0.0.1"] } = options;
  const binary = await (tls === undefined ? serverBinary(flavour) : tlsServerBinary(flavour));
  const files = tls === undefined ? undefined : await certificates();
  for (let attempt = 1; ; attempt++) {
    const port = options.port ?? (await freePort());
    const plainPort = tls?.alsoPlain === true ? await freePort() : undefined;
    const group = await ProcessGroup.start({
      what: `server:${port}`,
      command: binary,
      args: (folder) => [
        ...configArgs(folder, options.config),
        ...["--bind", ...hosts, "--dir", folder, "--save", "", "--appendonly", "no"],
        ...(files === undefined ? ["--port", String(port)] : tlsArgs(files, port, plainPort, tls)),
        ...(socket ? ["--unixsocket", join(folder, SOCKET)] : []),
        ...(password === undefined ? [] : ["--requirepass", password]),
        ...(options.args ?? []),
      ],
      env: () => ({ PATH: "/usr/bin:/bin", LC_ALL: "C" }),
    });
    try {
      await group.waitForLog(/eady to accept connections|Sentinel ID is/);
      const socketPath = socket ? join(group.folder, SOCKET) : undefined;
      const server = new Server(group, { host: hosts[0], port, plainPort, socketPath, password, tls: files });
      await assertOwn(server);
      return server;
    } catch (error) {
      await group.stop(0);
      // Another program took the free port between the check and the start.
      const taken = group.log.includes("Address already in use");
      if (!taken || options.port !== undefined || attempt === 5) throw error;
    }
  }
}

const SOCKET = "redis.sock";

/** Writable, because Sentinel keeps its state there. */
function configArgs(folder: string, config: string | undefined): string[] {
  if (config === undefined) return [];
  const file = join(folder, "server.conf");
  writeFileSync(file, config);
  return [file];
}

function tlsArgs(
  { ca, server, client }: Certificates,
  port: number,
  plainPort = 0,
  { certificate = "good", clients = "no" }: TlsOptions = {},
): string[] {
  const shown = server[certificate];
  return [
    ...["--port", String(plainPort), "--tls-port", String(port)],
    ...["--tls-ca-cert-file", ca, "--tls-cert-file", shown.certificate, "--tls-key-file", shown.key],
    ...["--tls-auth-clients", clients],
    // As a replica or a Sentinel it is a client of other servers.
    ...["--tls-client-cert-file", client.certificate, "--tls-client-key-file", client.key],
  ];
}

/** Checks that the answer comes from the process started here, not from another server on the same port. */
async function assertOwn(server: Server): Promise<void> {
  const redis = server.client(0, { retryStrategy: () => null, maxRetriesPerRequest: 0 });
  try {
    const info = await redis.info("server");
    const pid = /process_id:(\d+)/.exec(info)?.[1];
    if (Number(pid) !== server.pid) throw new Error(`port ${server.port} is answered by process ${pid}`);
  } finally {
    redis.disconnect();
  }
}

/** A port of loopback that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((done, failed) => {
    const listener = createServer();
    listener.on("error", failed);
    listener.listen(0, "127.0.0.1", () => {
      const address = listener.address();
      if (address === null || typeof address === "string") throw new Error("a TCP listener has a port");
      listener.close(() => {
        done(address.port);
      });
    });
  });
}
