// What the executable and a broker said to each other, as `record.ts` writes it to test/fixtures/conversations/.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** A command and its answer. A subscription also has everything that was heard. Both are Latin-1. */
export interface Exchange {
  readonly command: readonly string[];
  reply: string;
}

export interface Conversation {
  readonly name: string;
  /** The command line, without the options for broker and time. */
  readonly words: readonly string[];
  readonly exchanges: readonly Exchange[];
}

export const FOLDER = join(import.meta.dirname, "../fixtures/conversations");

/** The broker's password. The executable knows it, so it must hide it everywhere. */
export const PASSWORD = "PLANTED-password";

/** A part of secrets in the worker's settings. They must be recognised by their names and forms. */
export const UNTOLD = "UNTOLD";

export function readConversations(): readonly Conversation[] {
  return readdirSync(FOLDER)
    .sort()
    .map((file) => JSON.parse(readFileSync(join(FOLDER, file), "utf8")) as Conversation);
}

/** What a request asks, and its ticket. */
export function requestOf(
  command: readonly string[],
): { readonly method: string; readonly ticket: string } | null {
  if (command[0]?.toUpperCase() !== "PUBLISH" || !command[2]?.startsWith("{")) return null;
  const { body } = JSON.parse(command[2]) as { body: string };
  return JSON.parse(Buffer.from(body, "base64").toString()) as { method: string; ticket: string };
}

/**
 * The key of an exchange. Tickets, and how much of a list is read, differ from run to run, so they are not part of it.
 */
export function keyOf(command: readonly string[]): string {
  const [name = "", first = "", ...rest] = command;
  const request = requestOf(command);
  if (request !== null) return [name, first, request.method].join(" ");
  return name === "LRANGE" || name === "LREM" ? `${name} ${first}` : [name, first, ...rest].join(" ");
}
