import { WRONG_TYPE } from "../celery/queues.ts";
import { asNumber } from "../numbers.ts";
import type { Send } from "./scan.ts";

/** Elements of a list that Redis samples to count its memory (MEMORY USAGE … SAMPLES). */
const SAMPLES = 50;

interface Size {
  readonly length: number;
  /** The average size of a message. Null: the server refuses to tell it. */
  readonly averageBytes: number | null;
}

export interface SizedLists<L> {
  /** The lists that hold messages. */
  readonly filled: readonly (L & Size)[];
  /** How many lists may not be read. A key of another type does not count: it has a finding of its own. */
  readonly refused: number;
}

/**
 * Finds out how long these lists are and how large their messages. No command tells the size of one element. The list's
 * memory tells the average, and for a short list the largest possible size.
 *
 * @returns "sizes-refused": the server tells the size of no list
 */
export async function sizedLists<L extends { readonly key: string }>(
  send: Send,
  lists: readonly L[],
): Promise<SizedLists<L> | "unanswered" | "sizes-refused"> {
  const lengths = await send(lists.map(({ key }) => ["LLEN", key]));
  if (!lengths.ok) return "unanswered";
  const refused = lengths.value.filter((reply) => !reply.ok && !reply.error.startsWith(WRONG_TYPE)).length;
  const long = lists.flatMap((list, position) => {
    const reply = lengths.value[position];
    const length = reply?.ok === true ? asNumber(reply.value) : 0;
    return length > 0 ? [{ ...list, length }] : [];
  });
  if (long.length === 0) return { filled: [], refused };
  const sizes = await send(long.map(({ key }) => ["MEMORY", "USAGE", key, "SAMPLES", SAMPLES]));
  if (!sizes.ok) return "unanswered";
  if (sizes.value.every((reply) => !reply.ok)) return "sizes-refused";
  const filled = long.map((list, position) => {
    const reply = sizes.value[position];
    return { ...list, averageBytes: reply?.ok === true ? asNumber(reply.value) / list.length : null };
  });
  return { filled, refused };
}
