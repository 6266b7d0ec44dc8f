import type { Reply } from "../broker/channel.ts";
import { USUAL_SEPARATORS } from "../broker/keys.ts";
import { asObject } from "../pidbox/envelope.ts";
import { readEach } from "../pidbox/query.ts";
import type { TransportOptions } from "./transport-options.ts";

/** What Celery consumes if nobody says (celery/app/defaults.py `task_default_queue`). */
export const DEFAULT_QUEUE = "celery";

/** Which lists a queue's messages are in, beside its own list for priority 0. */
export interface PriorityLists {
  readonly separators: readonly string[];
  readonly priorities: readonly number[];
}

/** The usual separators, each with every usual priority: which of them are used is the application's matter. */
const USUAL_LISTS: PriorityLists = { separators: USUAL_SEPARATORS, priorities: [1, 2, 3, 4, 5, 6, 7, 8, 9] };

/** The usual lists, and the lists of workers that have told their options: their applications may set others. */
export function listsOf(told: Iterable<TransportOptions> = []): PriorityLists {
  const separators = new Set(USUAL_LISTS.separators);
  const priorities = new Set(USUAL_LISTS.priorities);
  for (const { separator, prioritySteps } of told) {
    separators.add(separator);
    for (const step of prioritySteps) if (step > 0) priorities.add(step);
  }
  return { separators: [...separators], priorities: [...priorities] };
}

/** The lists that these applications read, and no others. */
export function ownLists(told: readonly TransportOptions[]): PriorityLists {
  const priorities = told.flatMap(({ prioritySteps }) => prioritySteps.filter((step) => step > 0));
  return { separators: told.map(({ separator }) => separator), priorities };
}

/** What Redis answers to a command for a list whose key holds something else. */
export const WRONG_TYPE = "WRONGTYPE";

/** How long a queue is. */
export interface QueueLength {
  /** Messages that wait, over all its lists; null: not all of the lengths were told. */
  readonly messages: number | null;
  /** Messages in the list with the queue's own name, from which every consumer fetches. */
  readonly own: number | null;
  /** The queue's own key holds something else than a list. */
  readonly isOtherType: boolean;
}

/** The questions after the lengths of queues, and what the replies to them say, by queue. */
export interface LengthQuestion {
  readonly commands: readonly (readonly ["LLEN", key: string])[];
  readonly read: (replies: readonly Reply[]) => ReadonlyMap<string, QueueLength>;
}

/** @param prefix kombu's `global_keyprefix` */
export function askLengths(queues: readonly string[], prefix: string, lists = listsOf()): LengthQuestion {
  const keys = queues.map((queue) => queueKeys(queue, prefix, lists));
  return {
    commands: keys.flat().map((key) => ["LLEN", key]),
    read(replies) {
      let position = 0;
      return new Map(
        queues.map((queue, number) => {
          const own = replies.slice(position, (position += keys[number]?.length ?? 0));
          return [queue, lengthOf(own)] as const;
        }),
      );
    },
  };
}

/**
 * The lists that hold a queue's messages; the queue's own is the first (kombu/transport/redis.py `_q_for_pri`).
 *
 * @param prefix kombu's `global_keyprefix`
 */
export function queueKeys(queue: string, prefix = "", lists = listsOf()): readonly string[] {
  const key = prefix + queue;
  return [
    key,
    ...lists.separators.flatMap((separator) =>
      lists.priorities.map((priority) => key + separator + String(priority)),
    ),
  ];
}

/** By the replies to the LLENs of {@link queueKeys}. */
function lengthOf(replies: readonly Reply[]): QueueLength {
  const [own] = replies;
  const isOtherType = own?.ok === false && own.error.startsWith(WRONG_TYPE);
  let messages: number | null = null;
  const ownLength = own?.ok === true && typeof own.value === "number" ? own.value : null;
  for (const [position, reply] of replies.entries()) {
    // `celery:5` may be a key of the application's own, which is no list.
    if (position > 0 && !reply.ok && reply.error.startsWith(WRONG_TYPE)) continue;
    if (!reply.ok || typeof reply.value !== "number") return { messages: null, own: ownLength, isOtherType };
    messages = (messages ?? 0) + reply.value;
  }
  return { messages, own: ownLength, isOtherType };
}

/** The queues of an answer to `active_queues`; null: the answer has another form. */
export function queueNames(result: unknown): readonly string[] | null {
  // Before Celery 5 a worker without a consumer answers null.
  if (result === null) return [];
  if (!Array.isArray(result)) return null;
  const names = result.map((queue: unknown) => asObject(queue)?.["name"]);
  return names.every((name) => typeof name === "string") ? names : null;
}

/** The queues that each node consumes; who did not say is missing. */
export type Consumed = ReadonlyMap<string, readonly string[]>;

/** By their answers to `active_queues`. */
export function consumedBy(answers: ReadonlyMap<string, unknown>): Consumed {
  return readEach(answers, queueNames);
}

/** The queues that these nodes consume. */
export function queuesOf(byNode: Consumed, isMeant: (node: string) => boolean): readonly string[] {
  return [...new Set([...byNode].flatMap(([node, names]) => (isMeant(node) ? names : [])))];
}

/** The nodes that consume a queue. */
export function nodesOf(byNode: Consumed, queue: string): readonly string[] {
  return [...byNode].filter(([, own]) => own.includes(queue)).map(([node]) => node);
}

/** Exchanges and queues of remote control and of events: nobody's tasks. */
export function isTaskExchange(exchange: string): boolean {
  return !/\.pidbox$|^celeryev$|\.celeryev$/.test(exchange);
}

export function isTaskQueue(queue: string): boolean {
  return !/\.pidbox$|^celeryev\.|^amq\.gen|^bcast\./.test(queue);
}
