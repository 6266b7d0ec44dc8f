import { asNumber, asText } from "../numbers.ts";
import { readUnacked, type Unacked } from "../celery/deliveries.ts";
import type { Session } from "./session.ts";

/** A message of more bytes is not read: a reply of this size costs the server well under a millisecond. */
export const LARGEST = 262_144;

/** The names and scores of a sorted set, which Redis gives by turns. */
export function pairsOf(value: unknown): readonly (readonly [string, number])[] {
  if (!Array.isArray(value)) return [];
  const all = value as readonly unknown[];
  return all.flatMap((name, position) =>
    position % 2 === 0 ? [[asText(name), asNumber(all[position + 1])] as const] : [],
  );
}

/** Reads the messages of these delivery tags, the sizes first: one may be of any size. Null: the hash may not be read. */
export async function readMessages(
  send: Session["send"],
  hash: string,
  tags: ReadonlyMap<string, number>,
): Promise<readonly Unacked[] | null> {
  const all = [...tags];
  if (all.length === 0) return [];
  const sizes = await send(all.map(([tag]) => ["HSTRLEN", hash, tag]));
  if (!sizes.ok || sizes.value.every((reply) => !reply.ok)) return null;
  const messages: Unacked[] = [];
  let room = LARGEST;
  const small = all.filter((_, position) => {
    const reply = sizes.value[position];
    const size = reply?.ok === true ? asNumber(reply.value) : 0;
    if (size === 0 || size > room) return false;
    room -= size;
    return true;
  });
  if (small.length === 0) return [];
  const sent = await send([["HMGET", hash, ...small.map(([tag]) => tag)]]);
  const [reply] = sent.ok ? sent.value : [];
  const values: readonly unknown[] = reply?.ok === true && Array.isArray(reply.value) ? reply.value : [];
  for (const [position, [, deliveredS]] of small.entries()) {
    const value = values[position];
    const read = typeof value === "string" ? readUnacked(value, deliveredS) : null;
    if (read !== null) messages.push(read);
  }
  return messages;
}
