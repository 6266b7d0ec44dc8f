import type { Server } from "node:http";
import type { Socket } from "node:net";

/** The most connections that are kept open. */
const MOST = 64;

/** The most connections that are open for two turns of the event loop. In this time a new one may send its request. */
const BURST = 2_048;

export interface ConnectionLimit {
  /** A request has arrived on this connection. */
  touch(socket: Socket): void;
  /** This connection carries a stream. There are few streams, so it is never closed here. */
  keep(socket: Socket): void;
  close(): void;
}

/**
 * Keeps the number of connections of a server low. If new connections were refused, slow clients could keep probes out.
 * So it closes the connection whose last request is the longest ago.
 */
export function connectionLimit(server: Server): ConnectionLimit {
  /** The connection without a request for the longest time comes first. */
  const held = new Map<object | string, Socket>();
  const kept = new Set<object | string>();
  let isDue = false;

  const trim = () => {
    isDue = false;
    for (const [key, socket] of held) {
      if (held.size <= MOST) return;
      if (kept.has(key)) continue;
      forget(key);
      socket.destroy();
    }
  };

  const forget = (key: object | string) => {
    held.delete(key);
    kept.delete(key);
  };

  server.maxConnections = BURST;
  server.on("connection", (socket: Socket) => {
    const key = keyOf(socket);
    held.set(key, socket);
    socket.once("close", () => {
      if (held.get(key) === socket) forget(key);
    });
    if (held.size <= MOST || isDue) return;
    isDue = true;
    // Data that arrived with a connection is read in the turn after its acceptance.
    setImmediate(() => setImmediate(trim));
  });
  return {
    touch(socket) {
      const key = keyOf(socket);
      const raw = held.get(key);
      if (raw === undefined || kept.has(key)) return;
      held.delete(key);
      held.set(key, raw);
    },
    keep(socket) {
      kept.add(keyOf(socket));
    },
    close() {
      for (const socket of held.values()) socket.destroy();
    },
  };
}

/** With TLS the accepted socket is not the socket of the request. Both have the client's address. */
function keyOf(socket: Socket): object | string {
  const { remoteAddress, remotePort } = socket;
  return remotePort === undefined ? socket : `${remoteAddress ?? ""} ${remotePort}`;
}
