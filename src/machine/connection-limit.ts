import type { Server } from "node:http";
import type { Socket } from "node:net";

/** Most connections that are held. */
const MOST = 64;

/** Most connections that are open for two turns of the loop, in which a new one may send its request. */
const BURST = 2_048;

export interface ConnectionLimit {
  /** A request has come on it. */
  touch(socket: Socket): void;
  /** It is used for a stream, of which there are few: it stays. */
  keep(socket: Socket): void;
  close(): void;
}

/**
 * Keeps the number of connections of a server low. Refusing new ones would let slow clients keep probes out, so the one
 * goes that has asked for nothing for the longest time.
 */
export function connectionLimit(server: Server): ConnectionLimit {
  /** The longest without a request first. */
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
    // What has arrived with a connection is read in the turn after the one that accepts it.
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
