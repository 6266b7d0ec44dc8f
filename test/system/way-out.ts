import { createServer, request, type IncomingMessage, type ServerResponse } from "node:http";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { ProcessGroup } from "../world/process-group.ts";

/** Runs in the engine's network and passes every connection to the proxy's socket. */
const RELAY = `
const { connect, createServer } = require("node:net");
const server = createServer((from) => {
  const to = connect(process.argv[1]);
  for (const [one, other] of [[from, to], [to, from]]) one.on("error", () => other.destroy()).pipe(other);
});
server.listen(0, "0.0.0.0", () => console.log("port " + server.address().port));
`;

/** A proxy for containers without a network. Through it they reach by HTTP and TLS what this machine reaches. */
export interface WayOut extends AsyncDisposable {
  /** Its port, on every address of the engine's own network. */
  readonly port: number;
}

/**
 * Opens one for the builds of our own engine.
 *
 * @param pid of a process in the engine's network namespace
 */
export async function openWayOut(pid: number): Promise<WayOut> {
  const connections = new Set<Socket>();
  const proxy = createServer(forward).on("connect", tunnel);
  proxy.on("connection", (socket: Socket) => {
    connections.add(socket.on("close", () => connections.delete(socket)));
  });
  const relay = await ProcessGroup.start({
    what: "way-out",
    command: "nsenter",
    args: (folder) => ["--target", String(pid), "--net", process.execPath, "-e", RELAY, socketIn(folder)],
    env: () => ({ PATH: "/usr/bin:/bin" }),
  });
  const close = async () => {
    await relay.stop(0);
    proxy.close();
    for (const connection of connections) connection.destroy();
  };
  try {
    await new Promise<void>((done) => proxy.listen(socketIn(relay.folder), done));
    const [, port] = await relay.waitForLog(/^port (\d+)$/m);
    return { port: Number(port), [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

function socketIn(folder: string): string {
  return join(folder, "proxy.sock");
}

/** A request with a whole URL, as apt sends it for `http:`. */
function forward(asked: IncomingMessage, answer: ServerResponse): void {
  const { method, headers } = asked;
  const onward = request(asked.url ?? "", { method, headers }, (reply) => {
    answer.writeHead(reply.statusCode ?? 502, reply.headers);
    reply.pipe(answer);
  });
  onward.on("error", () => answer.destroy());
  asked.pipe(onward);
}

/** `CONNECT host:port`, as npm sends it for `https:`. */
function tunnel(asked: IncomingMessage, near: Duplex, first: Buffer): void {
  const { hostname, port } = new URL(`https://${asked.url ?? ""}`);
  const far = connect(Number(port === "" ? 443 : port), hostname, () => {
    near.write("HTTP/1.1 200 Connection established\r\n\r\n");
    far.write(first);
    far.pipe(near).pipe(far);
  });
  far.on("error", () => near.destroy());
  near.on("error", () => far.destroy());
}
