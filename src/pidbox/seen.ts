import { bytesBeforeCut } from "../broker/cut-text.ts";

/** The traces of the elements of one reply list that have been seen. */
export interface Seen {
  readonly has: (trace: string) => boolean;
  /** @param traces in the order of the list, the newest first */
  readonly add: (traces: readonly string[]) => void;
}

/** How many elements of a list are remembered, the newest first. Two fleets leave this many. */
export const MOST_SEEN = 10_000;

/** In bytes. For a longer element, only both ends are remembered. A shorter one is never cut. */
const SHORT = 1_000;

/** Characters of such an end. Their bytes are always within the ends that a cut text keeps. */
const END = 200;

export function startSeen(head: string): Seen {
  const kept = new Set([head]);
  return {
    has: (trace) => kept.has(trace),
    add(traces) {
      // The newest comes last: the oldest are forgotten first.
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
 * The trace that identifies an element, cut or not. It is the element itself or, for a long one, its length and both
 * ends. Kombu writes a UUID at the end of each reply. An attacker who pushes an element that only looks like a known
 * one could as well push a copy of it. The ends are copied through bytes. A slice would keep the whole text in memory,
 * and a hundred texts of 3.9 MB took 390 MB.
 */
export function traceOf(element: string): string {
  const bytes = bytesBeforeCut(element) ?? Buffer.byteLength(element);
  if (bytes <= SHORT) return element;
  return Buffer.from(`${bytes} ${element.slice(0, END)}${element.slice(-END)}`, "utf8").toString("utf8");
}
