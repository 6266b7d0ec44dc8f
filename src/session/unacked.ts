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

/** What is delivered and not acknowledged. */
export interface Unacknowledged {
  readonly count: number;
  /** Delivered before the moment that was asked for. */
  readonly overdue: number;
  /** The deliveries that were read: the oldest and the newest. */
  readonly messages: readonly Unacked[];
}

/**
 * @param keys of the hash and of its index
 * @param most messages that are read at either end
 * @returns the key that may not be read; null: no answer
 */
export async function lookAtUnacked(
  send: Session["send"],
  [hash, index]: readonly [hash: string, index: string],
  beforeS: number,
  most: number,
): Promise<Unacknowledged | string | null> {
  const sent = await send([
    ["ZCARD", index],
    ["ZCOUNT", index, "-inf", beforeS],
    ["ZRANGE", index, 0, most - 1, "WITHSCORES"],
    ["ZRANGE", index, -most, -1, "WITHSCORES"],
  ]);
  if (!sent.ok) return null;
  const values = sent.value.flatMap((reply) => (reply.ok ? [reply.value] : []));
  if (values.length < sent.value.length) return index;
  const [card, old, oldest, newest] = values;
  const messages = await readMessages(send, hash, new Map([...pairsOf(oldest), ...pairsOf(newest)]));
  return messages === null ? hash : { count: asNumber(card), overdue: asNumber(old), messages };
}
