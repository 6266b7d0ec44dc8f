import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import type { Place } from "../../src/broker/url.ts";
import { portOf } from "../world/proxy.ts";

/** What the server writes for a command, inside a transaction or not: RESP2 text, or `silence`, or `hang up`. */
type Script = (command: readonly string[], inTransaction: boolean) => string;

/** Writes nothing. */
export const SILENCE = "silence";
/** Closes the connection. */
export const HANG_UP = "hang up";

/** What a connection of the tests takes from the machine. */
export const MACHINE = { env: {}, now: () => performance.now() };

/** A server of this machine's, as a target names it. */
export function onLoopback(port: number): Place {
  return { kind: "tcp", host: "127.0.0.1", port };
}

/** A server that misbehaves as told: what no real Redis can be made to do. */
export interface ScriptedServer extends AsyncDisposable {
  readonly port: number;
  /** Every command received, in order. */
  readonly received: readonly (readonly string[])[];
}

/** Answers as a Redis in good order does, with one subscriber and nobody who answers. */
export function wellBehaved(command: readonly string[], inTransaction: boolean): string {
  switch (command[0]) {
    case "TYPE":
      return "+none\r\n";
    case "RPUSH":
    case "LTRIM":
    case "EXPIRE":
    case "PUBLISH":
      return "+QUEUED\r\n";
    case "EXEC":
      return "*5\r\n:1\r\n+OK\r\n:1\r\n*1\r\n$0\r\n\r\n:1\r\n";
    case "LRANGE":
      return inTransaction ? "+QUEUED\r\n" : "*0\r\n";
    default:
      return "+OK\r\n";
  }
}

/**
 * Starts the server on a free port of 127.0.0.1.
 *
 * @param greeting what it writes when a connection comes, before any command
 */
export async function scriptedServer(script: Script, greeting = ""): Promise<ScriptedServer> {
  const received: string[][] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    if (greeting === HANG_UP) socket.end();
    else socket.write(greeting);
    let pending = "";
    let inTransaction = false;
    socket.on("data", (bytes) => {
      pending += bytes.toString("latin1");
      for (;;) {
        const parsed = takeCommand(pending);
        if (parsed === null) return;
        pending = parsed.rest;
        received.push(parsed.command);
        const reply = script(parsed.command, inTransaction);
        if (parsed.command[0] === "MULTI") inTransaction = true;
        if (parsed.command[0] === "EXEC") inTransaction = false;
        if (reply === HANG_UP) socket.destroy();
        else if (reply !== SILENCE) socket.write(reply, "latin1");
      }
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: portOf(server),
    received,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

/** The first whole command (an array of bulk strings) of the text. */
export function takeCommand(text: string): { command: string[]; rest: string } | null {
  const head = /^\*(\d+)\r\n/.exec(text);
  if (head === null) return null;
  let rest = text.slice(head[0].length);
  const command: string[] = [];
  for (let left = Number(head[1]); left > 0; left--) {
    const bulk = /^\$(\d+)\r\n/.exec(rest);
    if (bulk === null) return null;
    const end = bulk[0].length + Number(bulk[1]);
    if (rest.length < end + 2) return null;
    command.push(rest.slice(bulk[0].length, end));
    rest = rest.slice(end + 2);
  }
  return { command, rest };
}
