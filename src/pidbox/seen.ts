import { bytesBeforeCut } from "../broker/cut-text.ts";

/** The elements of one reply list that have been seen, by their traces. */
export interface Seen {
  readonly has: (trace: string) => boolean;
  /** @param traces as their elements stand on the list: the newest first */
  readonly add: (traces: readonly string[]) => void;
}

/** How many elements of a list are remembered, the newest of those seen: as many as two fleets leave. */
export const MOST_SEEN = 10_000;

/** Of a longer element, in bytes, only both ends are remembered; a shorter one is never cut. */
const SHORT = 1_000;

/** Characters of such an end: as bytes they are fewer than a cut text keeps. */
const END = 200;

export function startSeen(head: string): Seen {
  const kept = new Set([head]);
  return {
    has: (trace) => kept.has(trace),
    add(traces) {
      // The newest last: the oldest are forgotten first.
      for (const trace of traces.toReversed()) {
        kept.delete(trace);
        kept.add(trace);
      }
      for (const trace of kept) {
        if (kept.size <= MOST_SEEN) break;
        kept.delete(trace);
      }
    },
  };
}

/**
 * What an element is known again by, cut or not: itself or, of a long one, its length and its ends. Kombu writes a
 * UUID of each reply at the end. Pushing an element that only looks like a seen one gains no more than pushing a copy
 * of that one. The ends are copied, by way of bytes: a slice would hold the whole text, and a hundred of 3.9 MB took
 * 390 MB.
 */
export function traceOf(element: string): string {
  const bytes = bytesBeforeCut(element) ?? Buffer.byteLength(element);
  if (bytes <= SHORT) return element;
  return Buffer.from(`${bytes} ${element.slice(0, END)}${element.slice(-END)}`, "utf8").toString("utf8");
}
