import { connect as connectPlain, type NetConnectOpts } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Place } from "./url.ts";

/**
 * Whether a server that did not understand us speaks TLS. Tries a handshake, whatever its outcome, and sends nothing
 * else.
 */
export function speaksTls(place: Place, withinMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectTls({ ...endpoint(place), rejectUnauthorized: false });
    const end = (speaks: boolean) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(speaks);
    };
    const timer = setTimeout(end, Math.max(0, withinMs), false);
    socket.on("secureConnect", () => {
      end(true);
    });
    socket.on("error", ({ code }: NodeJS.ErrnoException) => {
      // Only a server that speaks TLS sends an alert.
      end(/ALERT/.test(code ?? ""));
    });
    socket.on("close", () => {
      end(false);
    });
  });
}

/** Whether a server that did not understand TLS speaks Redis without it. Sends a PING; any answer counts. */
export function speaksPlain(place: Place, withinMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectPlain(endpoint(place));
    const end = (speaks: boolean) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(speaks);
    };
    const timer = setTimeout(end, Math.max(0, withinMs), false);
    socket.on("connect", () => socket.write("PING\r\n"));
    socket.on("data", (bytes: Buffer) => {
      end(/^[+-]/.test(bytes.toString("latin1")));
    });
    socket.on("error", () => {
      end(false);
    });
    socket.on("close", () => {
      end(false);
    });
  });
}

function endpoint(place: Place): NetConnectOpts & { host?: string; port?: number; path?: string } {
  return place.kind === "socket"
    ? { path: place.path }
    : { host: place.address ?? place.host, port: place.port };
}
