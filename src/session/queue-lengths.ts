import { askLengths, type PriorityLists } from "../celery/queues.ts";
import type { Host } from "../host.ts";
import { SHORTEST_MS } from "./heartbeats.ts";
import type { Send } from "./scan.ts";

/** How the keys of queues are formed. */
export interface QueueKeys {
  /** kombu's `global_keyprefix`. */
  readonly prefix: string;
  readonly lists: PriorityLists;
}

/** Queues measured with one write: nineteen keys each. */
const AT_ONCE = 50;

/** The lengths of queues at one moment. */
export interface Look {
  /** Milliseconds since the run began. */
  readonly atMs: number;
  readonly lengths: ReadonlyMap<string, number | null>;
  /** Names whose key holds something else than a list. */
  readonly noLists: ReadonlySet<string>;
}

/** Measures queues; null: the broker did not answer, or not in time. */
export async function measure(
  { now }: Pick<Host, "now">,
  send: Send,
  names: readonly string[],
  { prefix, lists }: QueueKeys,
): Promise<Look | null> {
  const lengths = new Map<string, number | null>();
  const noLists = new Set<string>();
  const atMs = now();
  for (let at = 0; at < names.length; at += AT_ONCE) {
    const some = names.slice(at, at + AT_ONCE);
    const question = askLengths(some, prefix, lists);
    const sent = await send(question.commands);
    if (!sent.ok) return null;
    for (const [queue, { messages, isOtherType }] of question.read(sent.value)) {
      lengths.set(queue, messages);
      if (isOtherType) noLists.add(queue);
    }
  }
  return { atMs, lengths, noLists };
}

/** By how many messages a second the queues have grown; null: there were no two looks at all of them. */
export function growthOf(queues: readonly string[], first: Look, second: Look): number | null {
  const ms = second.atMs - first.atMs;
  if (ms < SHORTEST_MS) return null;
  let sum = 0;
  for (const queue of queues) {
    const [before, after] = [first.lengths.get(queue), second.lengths.get(queue)];
    if (typeof before !== "number" || typeof after !== "number") return null;
    sum += after - before;
  }
  return (sum / ms) * 1_000;
}

/** How many messages wait in them, as far as their lengths are known. */
export function lengthIn({ lengths }: Look, queues: readonly string[]): number {
  return queues.reduce((sum, queue) => sum + (lengths.get(queue) ?? 0), 0);
}

/** Whether a queue had work at both looks and lost none: nobody fetches from it. */
export function isLeftAlone(queue: string, first: Look, second: Look): boolean {
  const [before, after] = [first.lengths.get(queue), second.lengths.get(queue)];
  return typeof before === "number" && typeof after === "number" && before > 0 && after >= before;
}
