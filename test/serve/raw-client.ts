import { once } from "node:events";
import { connect, type NetConnectOpts, type Socket } from "node:net";

/** Where a server is reached: a port of 127.0.0.1, or the path of a socket. */
export type Entrance = number | string;

/** A connection on which anything may be said, once it is open. */
export async function opened(entrance: Entrance): Promise<Socket> {
  const where: NetConnectOpts =
    typeof entrance === "number" ? { host: "127.0.0.1", port: entrance } : { path: entrance };
  const socket = connect({ ...where, allowHalfOpen: true });
  await once(socket, "connect");
  // How a server ends a connection is not the question.
  socket.on("error", () => undefined);
  return socket;
}

/** All that comes until the other side ends the connection. */
export async function rest(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  const { promise, resolve } = Promise.withResolvers<null>();
  for (const event of ["end", "close"]) socket.once(event, resolve);
  await promise;
  socket.destroy();
  return Buffer.concat(chunks).toString("latin1");
}

/** What a server says to some bytes until it ends the connection. */
export async function said(entrance: Entrance, bytes: string | Buffer): Promise<string> {
  const socket = await opened(entrance);
  socket.write(bytes);
  return rest(socket);
}

/** What a server answers to a GET that asks it to end the connection. */
export function got(entrance: Entrance, path: string, headers = ""): Promise<string> {
  return said(entrance, `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${headers}\r\n`);
}
