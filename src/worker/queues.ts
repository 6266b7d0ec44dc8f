import type { Reply } from "../pidbox/channel.ts";

/** What kombu writes between a queue's name and a priority (kombu/transport/redis.py, `Channel.sep`). */
export const PRIORITY_SEPARATOR = "\x06\x16";

/** kombu's `PRIORITY_STEPS` but for 0, whose list is called like the queue itself. */
const STEPS = [3, 6, 9] as const;

/**
 * The lists that hold a queue's messages, one for each priority.
 *
 * @param prefix kombu's `global_keyprefix`
 */
export function queueKeys(queue: string, prefix = ""): readonly string[] {
  const key = prefix + queue;
  return [key, ...STEPS.map((step) => key + PRIORITY_SEPARATOR + String(step))];
}

/** How many messages wait by the replies to the LLENs of all lists; `null` when one of them is no number. */
export function lengthsOf(replies: readonly Reply[]): number | null {
  let sum = 0;
  for (const reply of replies) {
    if (!reply.ok || typeof reply.value !== "number") return null;
    sum += reply.value;
  }
  return sum;
}
