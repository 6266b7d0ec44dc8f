import type { Reply } from "../broker/channel.ts";
import { asObject } from "../pidbox/envelope.ts";

/**
 * What stands between a queue's name and a priority: kombu's own (kombu/transport/redis.py, `Channel.sep`), and what
 * Celery's documentation sets (broker_transport_options, "Redis Message Priorities").
 */
const SEPARATORS = ["\x06\x16", ":"] as const;

/** Every priority but 0, whose list is called like the queue itself: which of them are used is the application's matter. */
const PRIORITIES = [1, 2, 3, 4, 5, 6, 7, 8, 9] as const;

/** What Redis answers to a command for a list whose key holds something else. */
const WRONG_TYPE = "WRONGTYPE";

/**
 * The lists that hold a queue's messages, one for each priority and separator; the queue's own is the first.
 *
 * @param prefix kombu's `global_keyprefix`
 */
export function queueKeys(queue: string, prefix = ""): readonly string[] {
  const key = prefix + queue;
  return [
    key,
    ...SEPARATORS.flatMap((separator) => PRIORITIES.map((priority) => key + separator + String(priority))),
  ];
}

/** Whether the key of the queue itself holds something else than a list, by the replies to the LLENs of {@link queueKeys}. */
export function isOtherType([own]: readonly Reply[]): boolean {
  return own?.ok === false && own.error.startsWith(WRONG_TYPE);
}

/** How many messages wait by the replies to the LLENs of {@link queueKeys}; `null` when one of them is no number. */
export function lengthsOf(replies: readonly Reply[]): number | null {
  let sum = 0;
  for (const [position, reply] of replies.entries()) {
    // `celery:5` may be a key of the application's own, which is no list.
    if (position > 0 && !reply.ok && reply.error.startsWith(WRONG_TYPE)) continue;
    if (!reply.ok || typeof reply.value !== "number") return null;
    sum += reply.value;
  }
  return sum;
}

/** The queues of an answer to `active_queues`; null where it is none. */
export function queueNames(result: unknown): readonly string[] | null {
  // Before Celery 5 a worker without a consumer answers null.
  if (result === null) return [];
  if (!Array.isArray(result)) return null;
  const names = result.map((queue: unknown) => asObject(queue)?.["name"]);
  return names.every((name) => typeof name === "string") ? names : null;
}
