// A server that answers like a recorded broker. Each reply passes through a function that may damage it.
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { takeCommand } from "../broker/scripted-server.ts";
import { portOf } from "../world/proxy.ts";
import { type Conversation, type Exchange, keyOf, requestOf } from "./conversation.ts";

/**
 * What is written for a reply: bytes with a short pause between them. Nothing may follow, or the connection may be
 * closed.
 */
export type Piece = Buffer | "mute" | "close";

/** Called with each reply and its position among all replies. */
export type Damage = (reply: Buffer, position: number) => readonly Piece[];

export interface Replay extends AsyncDisposable {
  readonly port: number;
  /** What was written, in order, as Latin-1. */
  readonly written: readonly string[];
}

/** Usually long enough for the other side to read what came before. */
const PAUSE_MS = 2;

export async function startReplay(conversation: Conversation, damage: Damage): Promise<Replay> {
  const answers = new Map<string, Exchange[]>();
  for (const exchange of conversation.exchanges)
    answers.set(keyOf(exchange.command), [...(answers.get(keyOf(exchange.command)) ?? []), exchange]);
  const tickets = new Map<string, string>();
  const written: string[] = [];
  const sockets = new Set<Socket>();
  let position = 0;

  function answerTo(command: readonly string[]): Buffer {
    const known = answers.get(keyOf(command)) ?? [];
    const exchange = known.length > 1 ? known.shift() : known[0];
    const [asked, recorded] = [requestOf(command), requestOf(exchange?.command ?? [])];
    if (asked !== null && recorded !== null) tickets.set(recorded.ticket, asked.ticket);
    const reply = exchange?.reply ?? (/^P?SUBSCRIBE$/i.test(command[0] ?? "") ? "*-1\r\n" : "+OK\r\n");
    return Buffer.from(
      [...tickets].reduce((text, [then, now]) => text.replaceAll(then, now), reply),
      "latin1",
    );
  }

  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined).on("close", () => sockets.delete(socket));
    let said = "";
    let isMute = false;
    let writing = Promise.resolve();
    async function write(pieces: readonly Piece[]): Promise<void> {
      for (const [at, piece] of pieces.entries()) {
        if (isMute || socket.destroyed) return;
        if (at > 0) await wait(PAUSE_MS);
        if (piece === "mute") isMute = true;
        else if (piece === "close") socket.destroy();
        else {
          written.push(piece.toString("latin1", 0, 1_000));
          const isFull = !socket.write(piece);
          // The other side may close the connection meanwhile.
          if (isFull)
            await Promise.race([once(socket, "drain"), once(socket, "close")]).catch(() => undefined);
        }
      }
    }
    socket.on("data", (bytes) => {
      said += bytes.toString("latin1");
      for (let taken = takeCommand(said); taken !== null; taken = takeCommand(said)) {
        said = taken.rest;
        const pieces = damage(answerTo(taken.command), position++);
        writing = writing.then(() => write(pieces));
      }
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: portOf(server),
    written,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
