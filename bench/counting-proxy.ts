import { connect, createServer, type Server as Listener, type Socket } from "node:net";
import { RespCounter } from "./resp-counter.ts";

/** What a client has exchanged with Redis, all its connections together. */
export interface Traffic {
  readonly sentBytes: number;
  readonly receivedBytes: number;
  /** Names, by connection in the order in which they were sent. */
  readonly commands: readonly string[];
}

/** A TCP proxy on loopback that counts what passes through it. */
export class CountingProxy implements AsyncDisposable {
  readonly port: number;
  readonly #listener: Listener;
  readonly #wires: readonly Wire[];

  /** Only `startCountingProxy` makes one. */
  constructor(listener: Listener, port: number, wires: readonly Wire[]) {
    this.#listener = listener;
    this.port = port;
    this.#wires = wires;
  }

  /**
   * What has passed since the start, after the last client has hung up.
   *
   * @throws Error where something else than Redis' protocol was sent
   */
  async traffic(): Promise<Traffic> {
    await Promise.all(this.#wires.map(({ closed }) => closed));
    const problem = this.#wires.find((wire) => wire.problem !== undefined)?.problem;
    if (problem !== undefined) throw problem;
    return {
      sentBytes: this.#wires.reduce((sum, { client }) => sum + client.bytesRead, 0),
      receivedBytes: this.#wires.reduce((sum, { server }) => sum + server.bytesRead, 0),
      commands: this.#wires.flatMap(({ counter }) => counter.commands),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((done) => this.#listener.close(done));
    for (const { client, server } of this.#wires) {
      client.destroy();
      server.destroy();
    }
    await closed;
  }
}

interface Wire {
  readonly client: Socket;
  readonly server: Socket;
  readonly counter: RespCounter;
  /** When the client has hung up. */
  readonly closed: Promise<void>;
  problem?: Error;
}

/** Starts a proxy to a port of loopback. */
export async function startCountingProxy(serverPort: number): Promise<CountingProxy> {
  const wires: Wire[] = [];
  const listener = createServer((client) => {
    wires.push(wireBetween(client, connect(serverPort, "127.0.0.1")));
  });
  await new Promise<void>((done, failed) => {
    listener.on("error", failed);
    listener.listen(0, "127.0.0.1", () => {
      done();
    });
  });
  const address = listener.address();
  if (address === null || typeof address === "string") throw new Error("a TCP listener has a port");
  return new CountingProxy(listener, address.port, wires);
}

function wireBetween(client: Socket, server: Socket): Wire {
  const counter = new RespCounter();
  const closed = new Promise<void>((done) => {
    client.once("close", () => {
      done();
    });
  });
  const wire: Wire = { client, server, counter, closed };
  client.on("data", (chunk: Buffer) => {
    try {
      counter.add(chunk);
    } catch (error) {
      wire.problem = error instanceof Error ? error : new Error(String(error));
    }
  });
  client.pipe(server);
  server.pipe(client);
  for (const [one, other] of [
    [client, server],
    [server, client],
  ] as const) {
    // A client that ends with its connection open resets it.
    one.on("error", () => other.destroy());
    one.on("close", () => other.destroy());
  }
  return wire;
}
