import { asNumber } from "../numbers.ts";
import { taskOfMessage } from "../celery/deliveries.ts";
import { ownLists, queueKeys, WRONG_TYPE } from "../celery/queues.ts";
import type { TransportOptions } from "../celery/transport-options.ts";
import type { QueueKeys } from "./queue-lengths.ts";
import type { Send } from "./scan.ts";
import { LARGEST } from "./unacked.ts";

/** Nodes of a list whose memory is counted (MEMORY USAGE … SAMPLES). */
const SAMPLES = 50;

/** Messages read at once: a few may be large although their list is small on average. */
const AT_ONCE = 16;

/** The message at the end of a list, which is fetched next from it. */
export interface Head {
  readonly queue: string;
  /** The list's own key, and how many messages are in it. */
  readonly key: string;
  readonly length: number;
  readonly task: string;
}

/** What the queues give out next. */
export interface Heads {
  readonly seen: readonly Head[];
  /** Messages that are too large, or that cannot be read. */
  readonly unread: number;
}

/** The message that is fetched next from each list of each queue; or why it is not seen. */
export async function headsOf(
  send: Send,
  names: readonly string[],
  { prefix, lists }: QueueKeys,
): Promise<Heads | "unanswered" | "sizes-refused"> {
  const keys = names.flatMap((queue) => queueKeys(queue, prefix, lists).map((key) => ({ queue, key })));
  const lengths = await send(keys.map(({ key }) => ["LLEN", key]));
  if (!lengths.ok) return "unanswered";
  // A key that holds no list is not refused: it has a finding of its own.
  const refused = lengths.value.filter((reply) => !reply.ok && !reply.error.startsWith(WRONG_TYPE)).length;
  const filled = keys.flatMap((one, position) => {
    const reply = lengths.value[position];
    const length = reply?.ok === true ? asNumber(reply.value) : 0;
    return length > 0 ? [{ ...one, length }] : [];
  });
  if (filled.length === 0) return { seen: [], unread: refused };
  // No command tells the size of one element: what the list takes tells it on average, and of a short one at most.
  const sizes = await send(filled.map(({ key }) => ["MEMORY", "USAGE", key, "SAMPLES", SAMPLES]));
  if (!sizes.ok) return "unanswered";
  if (sizes.value.every((reply) => !reply.ok)) return "sizes-refused";
  const small = filled.filter(({ length }, position) => {
    const reply = sizes.value[position];
    return reply?.ok === true && asNumber(reply.value) / length <= LARGEST;
  });
  const elements: unknown[] = [];
  for (let at = 0; at < small.length; at += AT_ONCE) {
    const part = small.slice(at, at + AT_ONCE);
    // Not LINDEX: of one that is too large LRANGE gives only the ends (broker/cut-text.ts).
    const sent = await send(part.map(({ key }) => ["LRANGE", key, -1, -1]));
    if (!sent.ok) return "unanswered";
    for (const reply of sent.value)
      elements.push(reply.ok && Array.isArray(reply.value) ? reply.value[0] : "");
  }
  const seen: Head[] = [];
  let unread = refused + filled.length - small.length;
  for (const [position, list] of small.entries()) {
    const element = elements[position];
    // Fetched meanwhile.
    if (element === undefined) continue;
    const task = typeof element === "string" ? taskOfMessage(element) : null;
    if (task === null) unread++;
    else seen.push({ ...list, task: task.name });
  }
  return { seen, unread };
}

/** A list of a queue: what stands in its key behind the queue's, and how many messages are in it. */
interface List {
  readonly end: string;
  readonly length: number;
}

/**
 * The lists of a queue that none of its consumers reads, of all lists that were seen.
 *
 * @param read the options of all its consumers
 * @param queues names of all queues: one may be called like such a list
 */
export function unreadLists(
  queue: string,
  seen: readonly Head[],
  prefix: string,
  read: readonly TransportOptions[],
  queues: ReadonlySet<string>,
): readonly List[] {
  const own = queueKeys(queue, prefix, ownLists(read));
  return seen
    .filter(
      (head) => head.queue === queue && !own.includes(head.key) && !queues.has(head.key.slice(prefix.length)),
    )
    .map(({ key, length }) => ({ length, end: key.slice((prefix + queue).length) }));
}
