import { asNumber, asText } from "../numbers.ts";
import { bindingsOf, queueOfBinding } from "../broker/keys.ts";
import { asObject } from "../pidbox/envelope.ts";
import { isTaskExchange, isTaskQueue } from "../celery/queues.ts";
import type { QueueKeys } from "./queue-lengths.ts";
import { scan, type Send } from "./scan.ts";

/** Keys that one SCAN looks at. docs/doctor.md has the cost for the server. */
const SLICE = 500;

/** The most members of a binding table that is read. A table has one member for each queue of its exchange. */
const MOST_BINDINGS = 1_000;

/** Tables that are read with one write. */
const AT_ONCE = 50;

/** Whether the search for other declared queues saw all keys. */
export interface BindingSearch {
  readonly isWhole: boolean;
  /** The broker's error message, if it refuses SCAN. */
  readonly refusal: string | null;
}

/**
 * Finds the queues that any application has declared. kombu keeps the bindings of each exchange in a set.
 *
 * @param goesOn is asked after each slice of keys
 */
export async function declaredQueues(
  send: Send,
  { prefix, lists }: QueueKeys,
  goesOn: () => boolean,
): Promise<{
  readonly queues: readonly string[];
  /** Other prefixes under which queues are declared. */
  readonly prefixes: readonly string[];
  readonly search: BindingSearch;
}> {
  const begin = bindingsOf("", prefix);
  const mark = bindingsOf("", "");
  const found = new Set<string>();
  const tables = new Set<string>();
  const prefixes = new Set<string>();
  const scanned = await scan(
    send,
    { pattern: `*${mark}*`, slice: SLICE },
    (keys) => {
      for (const key of keys) {
        if (!key.startsWith(begin)) prefixes.add(key.slice(0, key.indexOf(mark)));
        else if (isTaskExchange(key.slice(begin.length))) tables.add(key);
      }
      return [];
    },
    () => undefined,
    goesOn,
  );
  for (const members of (await tablesOf(send, [...tables])).values()) {
    for (const member of members) {
      const queue = queueOfBinding(member, lists.separators);
      if (queue !== null && isTaskQueue(queue)) found.add(queue);
    }
  }
  const search = { isWhole: scanned.isWhole, refusal: scanned.refusal };
  return { queues: [...found].sort(), prefixes: [...prefixes].sort(), search };
}

/** The members of binding tables, by key. Tables that are too large, or may not be read, are missing. */
async function tablesOf(
  send: Send,
  keys: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const found = new Map<string, readonly string[]>();
  for (let at = 0; at < keys.length; at += AT_ONCE) {
    const some = keys.slice(at, at + AT_ONCE);
    const sizes = await send(some.map((key) => ["SCARD", key]));
    const readable = some.filter((_, position) => {
      const reply = sizes.ok ? sizes.value[position] : undefined;
      return reply?.ok === true && asNumber(reply.value) <= MOST_BINDINGS;
    });
    if (readable.length === 0) continue;
    const sent = await send(readable.map((key) => ["SMEMBERS", key]));
    for (const [position, reply] of (sent.ok ? sent.value : []).entries()) {
      if (!reply.ok || !Array.isArray(reply.value)) continue;
      found.set(readable[position] ?? "", (reply.value as readonly unknown[]).map(asText));
    }
  }
  return found;
}

/** The binding of a queue that a worker consumes. */
export interface Bound {
  readonly queue: string;
  readonly exchange: string;
  /** `direct` or `topic`. */
  readonly type: string;
  readonly routingKey: string;
}

/**
 * The bindings in an answer to `active_queues`. A queue without an exchange needs no binding, and a fanout exchange has
 * no lists.
 */
export function boundBy(answer: unknown): readonly Bound[] {
  return (Array.isArray(answer) ? answer : []).flatMap((one: unknown): readonly Bound[] => {
    const { name, exchange, routing_key: routingKey } = asObject(one) ?? {};
    const { name: exchangeName, type } = asObject(exchange) ?? {};
    if (typeof name !== "string" || typeof exchangeName !== "string" || exchangeName === "") return [];
    if (typeof type !== "string" || type === "fanout" || typeof routingKey !== "string") return [];
    return [{ queue: name, exchange: exchangeName, type, routingKey }];
  });
}

/** The bindings that are missing in their table. kombu drops messages with this exchange and routing key. */
export async function lostBindings(
  send: Send,
  { prefix, lists }: QueueKeys,
  bound: readonly Bound[],
): Promise<readonly Bound[]> {
  const tables = await tablesOf(send, [
    ...new Set(bound.map(({ exchange }) => bindingsOf(exchange, prefix))),
  ]);
  return bound.filter(({ queue, exchange, routingKey }) => {
    const members = tables.get(bindingsOf(exchange, prefix));
    const isBound = (member: string) =>
      lists.separators.some((one) => member.startsWith(routingKey + one) && member.endsWith(one + queue));
    return members !== undefined && !members.some(isBound);
  });
}
