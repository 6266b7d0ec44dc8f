import { slips } from "../slips.ts";
import type { QueueLimit } from "../cli/values.ts";
import type { Span } from "../session/heartbeats.ts";

/** Where nothing is said of a queue. */
const USUAL_LIMIT = 1_000;

/** How many messages may wait in a queue: the last word of the options counts. */
export function limitOf(queue: string, limits: readonly QueueLimit[]): number {
  const own = limits.findLast((limit) => limit.queue === queue);
  const all = limits.findLast((limit) => limit.queue === null);
  return own?.limit ?? all?.limit ?? USUAL_LIMIT;
}

/** Exchanges and queues of remote control and of events: nobody's tasks. */
export function isTaskExchange(exchange: string): boolean {
  return !/\.pidbox$|^celeryev$|\.celeryev$/.test(exchange);
}

export function isTaskQueue(queue: string): boolean {
  return !/\.pidbox$|^celeryev\.|^amq\.gen|^bcast\./.test(queue);
}

/** The one that is most likely meant: the same but for case and dashes, or with one slip of a finger in a few letters. */
export function similarTo(name: string, others: readonly string[]): string | null {
  const plain = (text: string) => text.toLowerCase().replace(/[-_. ]/g, "");
  const [closest] = others
    .filter((other) => other !== name)
    .map((other) => ({
      other,
      slips: plain(other) === plain(name) ? 0 : slips(other, name),
      allowed: Math.floor(Math.min(other.length, name.length) / 4),
    }))
    .filter(({ slips: made, allowed }) => made <= allowed)
    .sort((a, b) => a.slips - b.slips);
  return closest?.other ?? null;
}

/** The lengths of queues at one moment. */
export interface Look {
  /** Milliseconds since the run began. */
  readonly atMs: number;
  readonly lengths: ReadonlyMap<string, number | null>;
  /** Names whose key holds something else than a list. */
  readonly noLists: ReadonlySet<string>;
}

/** Two looks at less than this, in milliseconds, say nothing of a trend. */
const SHORTEST_MS = 500;

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

/** A queue that had work at both looks and lost none: nobody fetches from it. */
export function isLeftAlone(before: number | null | undefined, after: number | null | undefined): boolean {
  return typeof before === "number" && typeof after === "number" && before > 0 && after >= before;
}

/** Whether two heartbeats of it tell how much it has done. */
export function isHeardTwice(span: Span | undefined): span is Span {
  return (
    span !== undefined &&
    span.lastMs - span.firstMs >= SHORTEST_MS &&
    span.first.processed !== null &&
    span.last.processed !== null
  );
}

/** Tasks begun and finished in a second by all whose heartbeats were heard twice. */
export function paceOf(
  spans: ReadonlyMap<string, Span>,
): { readonly begun: number; readonly finished: number; readonly overS: number } | null {
  let [begun, finished, overS] = [0, 0, 0];
  for (const { first, firstMs, last, lastMs } of [...spans.values()].filter(isHeardTwice)) {
    const s = (lastMs - firstMs) / 1_000;
    const more = Math.max(0, (last.processed ?? 0) - (first.processed ?? 0));
    begun += more / s;
    // Counted when they begin (celery/worker/state.py `task_accepted`): what still runs is not finished.
    finished += Math.max(0, more - ((last.active ?? 0) - (first.active ?? 0))) / s;
    overS = Math.max(overS, s);
  }
  return overS === 0 ? null : { begun, finished, overS };
}
