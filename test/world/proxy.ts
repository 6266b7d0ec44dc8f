import { connect, createServer, type Server as Listener, type Socket } from "node:net";

/**
 * A TCP proxy on loopback that can lose one chosen connection, as a mesh or a NAT between worker and broker does. The
 * server sees the proxy's address and port instead of the worker's.
 */
export class Proxy implements AsyncDisposable {
  readonly port: number;
  readonly #listener: Listener;
  readonly #pairs = new Set<Pair>();

  /** Only `startProxy` makes one. */
  constructor(listener: Listener, port: number, pairs: Set<Pair>) {
    this.#listener = listener;
    this.port = port;
    this.#pairs = pairs;
  }

  /** In the form that Celery and the probe read. */
  url(db = 0): string {
    return `redis://127.0.0.1:${this.port}/${db}`;
  }

  /**
   * From now on, the connection with this port at the server is half-open for good. What either end sends is accepted
   * and lost, and neither end is told.
   *
   * @throws Error if there is no such connection
   */
  swallow(portAtServer: number): void {
    const pair = this.#find(portAtServer);
    for (const [from, to] of [
      [pair.client, pair.server],
      [pair.server, pair.client],
    ] as const) {
      from.unpipe(to);
      from.resume();
    }
  }

  /** Closes both ends. @throws Error if there is no such connection */
  cut(portAtServer: number): void {
    const pair = this.#find(portAtServer);
    pair.client.destroy();
    pair.server.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((done) => this.#listener.close(done));
    for (const { client, server } of this.#pairs) {
      client.destroy();
      server.destroy();
    }
    await closed;
  }

  #find(portAtServer: number): Pair {
    const pair = [...this.#pairs].find(({ server }) => server.localPort === portAtServer);
    if (pair === undefined) throw new Error(`no connection through the proxy has port ${portAtServer}`);
    return pair;
  }
}

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
}

/** Starts a proxy to a port of loopback. */
export async function startProxy(serverPort: number): Promise<Proxy> {
  const pairs = new Set<Pair>();
  const listener = createServer((client) => {
    const server = connect(serverPort, "127.0.0.1");
    const pair = { client, server };
    pairs.add(pair);
    client.pipe(server);
    server.pipe(client);
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      one.on("error", () => other.destroy());
      one.on("close", () => {
        other.destroy();
        pairs.delete(pair);
      });
    }
  });
  await new Promise<void>((done, failed) => {
    listener.on("error", failed);
    listener.listen(0, "127.0.0.1", () => {
      done();
    });
  });
  return new Proxy(listener, portOf(listener), pairs);
}

export function portOf(listener: Listener): number {
  const address = listener.address();
  if (address === null || typeof address === "string") throw new Error("a TCP listener has a port");
  return address.port;
}
