import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

/** What a client has exchanged with Redis, over all its connections. */
export interface Traffic {
  readonly sentBytes: number;
  readonly receivedBytes: number;
  /** The names of the commands. They are ordered by connection, then by time. */
  readonly commands: readonly string[];
}

/** A TCP proxy on loopback that counts what passes through it. */
export interface CountingProxy extends AsyncDisposable {
  readonly port: number;
  /**
   * The traffic since the start. Resolves when every client has closed its connections.
   *
   * @throws Error if a client sent something other than Redis commands
   */
  readonly traffic: () => Promise<Traffic>;
}

/** Starts a proxy to a port of loopback. */
export async function startCountingProxy(serverPort: number): Promise<CountingProxy> {
  const wires: { client: Socket; server: Socket; sent: Buffer[]; closed: Promise<unknown> }[] = [];
  const listener = createServer((client) => {
    const server = connect(serverPort, "127.0.0.1");
    const sent: Buffer[] = [];
    wires.push({ client, server, sent, closed: once(client, "close") });
    client.on("data", (chunk: Buffer) => sent.push(chunk));
    client.pipe(server).pipe(client);
    // A client that ends while its connection is open resets it.
    for (const socket of [client, server]) socket.on("error", () => socket.destroy());
    client.on("close", () => server.destroy());
    server.on("close", () => client.destroy());
  });
  await once(listener.listen(0, "127.0.0.1"), "listening");
  const address = listener.address();
  if (address === null || typeof address === "string") throw new Error("a TCP listener has a port");
  return {
    port: address.port,
    traffic: async () => {
      await Promise.all(wires.map(({ closed }) => closed));
      return {
        sentBytes: wires.reduce((sum, { client }) => sum + client.bytesRead, 0),
        receivedBytes: wires.reduce((sum, { server }) => sum + server.bytesRead, 0),
        commands: wires.flatMap(({ sent }) => commandsIn(Buffer.concat(sent))),
      };
    },
    [Symbol.asyncDispose]: async () => {
      const closed = once(listener.close(), "close");
      for (const { client } of wires) client.destroy();
      await closed;
    },
  };
}

/** The names of the commands that a client has sent to Redis as RESP arrays of bulk strings. */
function commandsIn(bytes: Buffer): readonly string[] {
  const names: string[] = [];
  let at = 0;
  const length = (sign: "*" | "$") => {
    const line = bytes.toString("latin1", at, bytes.indexOf("\r\n", at));
    if (!/^.\d+$/.test(line) || !line.startsWith(sign)) {
      throw new Error(`${JSON.stringify(line)} is no RESP: expected ${sign} and a length`);
    }
    at += line.length + 2;
    return Number(line.slice(1));
  };
  while (at < bytes.length) {
    for (let words = length("*"), word = 0; word < words; word++) {
      const size = length("$");
      if (word === 0) names.push(bytes.toString("utf8", at, at + size).toUpperCase());
      at += size + 2;
    }
  }
  return names;
}
