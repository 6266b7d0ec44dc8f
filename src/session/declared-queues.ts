import { asNumber, asText } from "../numbers.ts";
import { bindingsOf, queueOfBinding } from "../broker/keys.ts";
import { isTaskExchange, isTaskQueue } from "../celery/queues.ts";
import type { QueueKeys } from "./queue-lengths.ts";
import { scan, type Send } from "./scan.ts";

/** Keys looked at by one SCAN; see docs/doctor.md for what that costs the server. */
const SLICE = 500;

/** A binding table holds one member for each queue of an exchange: one with more is not read. */
const MOST_BINDINGS = 1_000;

/** Tables read with one write. */
const AT_ONCE = 50;

/** How far the search for queues that others have declared has come. */
export interface BindingSearch {
  readonly isWhole: boolean;
  /** The broker's words, where it permits none. */
  readonly refusal: string | null;
}

/**
 * The queues that anybody has declared: kombu keeps the bindings of each exchange in a set.
 *
 * @param goesOn asked after each slice of keys
 */
export async function declaredQueues(
  send: Send,
  { prefix, lists }: QueueKeys,
  goesOn: () => boolean,
): Promise<{ readonly queues: readonly string[]; readonly search: BindingSearch }> {
  const begin = bindingsOf("", prefix);
  const found = new Set<string>();
  const tables = new Set<string>();
  const scanned = await scan(
    send,
    { pattern: `${begin}*`, slice: SLICE },
    (keys) => {
      for (const key of keys) if (isTaskExchange(key.slice(begin.length))) tables.add(key);
      return [];
    },
    () => undefined,
    goesOn,
  );
  const all = [...tables];
  for (let at = 0; at < all.length; at += AT_ONCE) {
    const some = all.slice(at, at + AT_ONCE);
    const sizes = await send(some.map((key) => ["SCARD", key]));
    const readable = some.filter((_, position) => {
      const reply = sizes.ok ? sizes.value[position] : undefined;
      return reply?.ok === true && asNumber(reply.value) <= MOST_BINDINGS;
    });
    if (readable.length === 0) continue;
    const members = await send(readable.map((key) => ["SMEMBERS", key]));
    for (const reply of members.ok ? members.value : []) {
      if (!reply.ok || !Array.isArray(reply.value)) continue;
      for (const member of reply.value as readonly unknown[]) {
        const queue = queueOfBinding(asText(member), lists.separators);
        if (queue !== null && isTaskQueue(queue)) found.add(queue);
      }
    }
  }
  return { queues: [...found].sort(), search: { isWhole: scanned.isWhole, refusal: scanned.refusal } };
}
