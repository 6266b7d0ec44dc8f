import { asNumber, asText } from "../numbers.ts";
import { readUnacked, type Unacked } from "../celery/deliveries.ts";
import { soonest, type TransportOptions } from "../celery/transport-options.ts";
import type { Session } from "./session.ts";

/** In bytes. Larger messages are not read. A reply of this size takes the server well under a millisecond. */
export const LARGEST = 262_144;

/** The names and scores of a sorted set. In the reply they alternate. */
export function pairsOf(value: unknown): readonly (readonly [string, number])[] {
  if (!Array.isArray(value)) return [];
  const all = value as readonly unknown[];
  return all.flatMap((name, position) =>
    position % 2 === 0 ? [[asText(name), asNumber(all[position + 1])] as const] : [],
  );
}

/**
 * Reads the messages of these delivery tags. Asks for the sizes first, because a message may have any size. Null: the
 * hash may not be read.
 */
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

/** Messages that are read at each end. */
const LOOKED = 100;

/** In seconds. Clocks differ, and kombu checks only every hundred seconds (`unacked_restore_interval`). */
const OVERDUE_MARGIN_S = 60;

/** Deliveries that are not acknowledged. */
export interface Deliveries extends Pick<TransportOptions, "visibilityS" | "isDefault"> {
  /** Whether a worker has told its options. */
  readonly isTold: boolean;
  readonly count: number;
  /** The number of deliveries older than the visibility timeout. */
  readonly overdue: number;
  /** The deliveries that were read: the oldest and the newest. */
  readonly messages: readonly Unacked[];
}

/** Why deliveries cannot be seen. `masked`: Celery masks the keys' names. `refused`: the key that may not be read. */
export type Unseen = "unanswered" | "masked" | { readonly refused: string };

/**
 * Reads the oldest and the newest deliveries, and counts all.
 *
 * @param prefix kombu's `global_keyprefix`
 * @param told the options of the workers
 */
export async function lookAtUnacked(
  send: Session["send"],
  prefix: string,
  told: readonly TransportOptions[],
  nowS: number,
): Promise<Deliveries | Unseen> {
  const { unackedKey, unackedIndexKey, visibilityS, isDefault } = soonest(told);
  if (unackedKey === null || unackedIndexKey === null) return "masked";
  const [hash, index] = [prefix + unackedKey, prefix + unackedIndexKey];
  const sent = await send([
    ["ZCARD", index],
    ["ZCOUNT", index, "-inf", nowS - visibilityS - OVERDUE_MARGIN_S],
    ["ZRANGE", index, 0, LOOKED - 1, "WITHSCORES"],
    ["ZRANGE", index, -LOOKED, -1, "WITHSCORES"],
  ]);
  if (!sent.ok) return "unanswered";
  const values = sent.value.flatMap((reply) => (reply.ok ? [reply.value] : []));
  if (values.length < sent.value.length) return { refused: index };
  const [card, old, oldest, newest] = values;
  const messages = await readMessages(send, hash, new Map([...pairsOf(oldest), ...pairsOf(newest)]));
  if (messages === null) return { refused: hash };
  const counts = { count: asNumber(card), overdue: asNumber(old) };
  return { ...counts, messages, visibilityS, isDefault, isTold: told.length > 0 };
}
