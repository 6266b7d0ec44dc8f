import { taskOfMessage } from "../celery/deliveries.ts";
import { ownLists, queueKeys } from "../celery/queues.ts";
import type { TransportOptions } from "../celery/transport-options.ts";
import type { QueueKeys } from "./queue-lengths.ts";
import type { Send } from "./scan.ts";
import { sizedLists } from "./sized-lists.ts";
import { LARGEST } from "./unacked.ts";

/** Messages that are read at once. Some may be large even when the average is small. */
const AT_ONCE = 16;

/** The message at the end of a list. Workers fetch it next. */
export interface Head {
  readonly queue: string;
  /** The list's own key, and its number of messages. */
  readonly key: string;
  readonly length: number;
  readonly task: string;
}

export interface Heads {
  readonly seen: readonly Head[];
  /** Messages that are too large, or that cannot be read. */
  readonly unread: number;
}

/** Finds the next message in each list of each queue. A string says why it cannot be seen. */
export async function headsOf(
  send: Send,
  names: readonly string[],
  { prefix, lists }: QueueKeys,
): Promise<Heads | "unanswered" | "sizes-refused"> {
  const keys = names.flatMap((queue) => queueKeys(queue, prefix, lists).map((key) => ({ queue, key })));
  const sized = await sizedLists(send, keys);
  if (typeof sized === "string") return sized;
  const { filled, refused } = sized;
  const small = filled.filter(({ averageBytes }) => averageBytes !== null && averageBytes <= LARGEST);
  const elements: unknown[] = [];
  for (let at = 0; at < small.length; at += AT_ONCE) {
    const part = small.slice(at, at + AT_ONCE);
    // LRANGE, not LINDEX: from an LRANGE reply that is too large only the ends are kept (broker/cut-text.ts).
    const sent = await send(part.map(({ key }) => ["LRANGE", key, -1, -1]));
    if (!sent.ok) return "unanswered";
    for (const reply of sent.value)
      elements.push(reply.ok && Array.isArray(reply.value) ? reply.value[0] : "");
  }
  const seen: Head[] = [];
  let unread = refused + filled.length - small.length;
  for (const [position, list] of small.entries()) {
    const element = elements[position];
    // A worker fetched it in the meantime.
    if (element === undefined) continue;
    const task = typeof element === "string" ? taskOfMessage(element) : null;
    if (task === null) unread++;
    else seen.push({ queue: list.queue, key: list.key, length: list.length, task: task.name });
  }
  return { seen, unread };
}

/** A list of a queue: the end of its key, after the queue's key, and its number of messages. */
interface List {
  readonly end: string;
  readonly length: number;
}

/**
 * The lists of a queue that hold messages, but that no consumer of the queue reads.
 *
 * @param read the options of all its consumers
 * @param queues names of all queues: a queue may have such a list's name
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
