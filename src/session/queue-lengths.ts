import { askLengths, type PriorityLists } from "../celery/queues.ts";
import type { Host } from "../host.ts";
import { SHORTEST_MS } from "./heartbeats.ts";
import type { Send } from "./scan.ts";

/** How the keys of queues are built. */
export interface QueueKeys {
  /** kombu's `global_keyprefix`. */
  readonly prefix: string;
  readonly lists: PriorityLists;
}

/** Queues that are measured with one write. Each has nineteen keys. */
const AT_ONCE = 50;

/** The lengths of queues at one moment. */
export interface Look {
  /** Milliseconds since the run began. */
  readonly atMs: number;
  readonly lengths: ReadonlyMap<string, number | null>;
  /** Names whose key holds something other than a list. */
  readonly noLists: ReadonlySet<string>;
}

/** Measures queues. Null: the broker did not answer in time. */
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

/** The growth of all these queues together, in messages per second. Null: some queue was not measured twice. */
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

/** The number of waiting messages. Queues of unknown length are left out. */
export function lengthIn({ lengths }: Look, queues: readonly string[]): number {
  return queues.reduce((sum, queue) => sum + (lengths.get(queue) ?? 0), 0);
}

/** Whether the queue had messages at both looks and did not get shorter: no worker fetches from it. */
export function isLeftAlone(queue: string, first: Look, second: Look): boolean {
  const [before, after] = [first.lengths.get(queue), second.lengths.get(queue)];
  return typeof before === "number" && typeof after === "number" && before > 0 && after >= before;
}
