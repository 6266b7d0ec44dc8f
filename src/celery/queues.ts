import type { Reply } from "../broker/channel.ts";
import { USUAL_SEPARATORS } from "../broker/keys.ts";
import { asObject } from "../pidbox/envelope.ts";
import { readEach } from "../pidbox/query.ts";
import type { TransportOptions } from "./transport-options.ts";

/** The queue that Celery consumes by default (celery/app/defaults.py `task_default_queue`). */
export const DEFAULT_QUEUE = "celery";

/** The lists for a queue's other priorities. Priority 0 has the queue's own list. */
export interface PriorityLists {
  readonly separators: readonly string[];
  readonly priorities: readonly number[];
}

/** All usual separators and priorities. The application decides which of them are used. */
const USUAL_LISTS: PriorityLists = { separators: USUAL_SEPARATORS, priorities: [1, 2, 3, 4, 5, 6, 7, 8, 9] };

/** The usual lists, and the lists that workers' options name. Applications may set other options. */
export function listsOf(told: Iterable<TransportOptions> = []): PriorityLists {
  const separators = new Set(USUAL_LISTS.separators);
  const priorities = new Set(USUAL_LISTS.priorities);
  for (const { separator, prioritySteps } of told) {
    separators.add(separator);
    for (const step of prioritySteps) if (step > 0) priorities.add(step);
  }
  return { separators: [...separators], priorities: [...priorities] };
}

/** Only the lists that these applications read. */
export function ownLists(told: readonly TransportOptions[]): PriorityLists {
  const priorities = told.flatMap(({ prioritySteps }) => prioritySteps.filter((step) => step > 0));
  return { separators: told.map(({ separator }) => separator), priorities };
}

/** Redis answers this to a list command if the key holds another type. */
export const WRONG_TYPE = "WRONGTYPE";

export interface QueueLength {
  /** The number of waiting messages in all lists. Null: some length is not known. */
  readonly messages: number | null;
  /** The number of messages in the list with the queue's own name. Every consumer fetches from it. */
  readonly own: number | null;
  /** The queue's own key holds something other than a list. */
  readonly isOtherType: boolean;
}

/** Commands that ask for the lengths of queues, and a reader for their replies. */
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
 * The lists that hold a queue's messages. The queue's own list comes first (kombu/transport/redis.py `_q_for_pri`).
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

/** @param replies to the LLEN commands for {@link queueKeys} */
function lengthOf(replies: readonly Reply[]): QueueLength {
  const [own] = replies;
  const isOtherType = own?.ok === false && own.error.startsWith(WRONG_TYPE);
  let messages: number | null = null;
  const ownLength = own?.ok === true && typeof own.value === "number" ? own.value : null;
  for (const [position, reply] of replies.entries()) {
    // A key like `celery:5` may belong to the application and be no list.
    if (position > 0 && !reply.ok && reply.error.startsWith(WRONG_TYPE)) continue;
    if (!reply.ok || typeof reply.value !== "number") return { messages: null, own: ownLength, isOtherType };
    messages = (messages ?? 0) + reply.value;
  }
  return { messages, own: ownLength, isOtherType };
}

/** The queues of an answer to `active_queues`. Null: the answer has another form. */
export function queueNames(result: unknown): readonly string[] | null {
  // Before Celery 5 a worker without a consumer answers null.
  if (result === null) return [];
  if (!Array.isArray(result)) return null;
  const names = result.map((queue: unknown) => asObject(queue)?.["name"]);
  return names.every((name) => typeof name === "string") ? names : null;
}

/** The queues that each node consumes. Nodes that did not say are missing. */
export type Consumed = ReadonlyMap<string, readonly string[]>;

/** @param answers to `active_queues` */
export function consumedBy(answers: ReadonlyMap<string, unknown>): Consumed {
  return readEach(answers, queueNames);
}

export function queuesOf(byNode: Consumed, isMeant: (node: string) => boolean): readonly string[] {
  return [...new Set([...byNode].flatMap(([node, names]) => (isMeant(node) ? names : [])))];
}

export function nodesOf(byNode: Consumed, queue: string): readonly string[] {
  return [...byNode].filter(([, own]) => own.includes(queue)).map(([node]) => node);
}

/** Whether the exchange is for tasks. The others are for remote control and events. */
export function isTaskExchange(exchange: string): boolean {
  return !/\.pidbox$|^celeryev$|\.celeryev$/.test(exchange);
}

export function isTaskQueue(queue: string): boolean {
  return !/\.pidbox$|^celeryev\.|^amq\.gen|^bcast\./.test(queue);
}
