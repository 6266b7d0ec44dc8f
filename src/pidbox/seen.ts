/** The elements of one reply list that have been seen. */
export interface Seen {
  readonly has: (element: string) => boolean;
  /** @param elements as they stand on the list: the newest first */
  readonly add: (elements: readonly string[]) => void;
}

/** How many elements of a list are remembered, the newest of those seen: as many as two fleets leave. */
const MOST_SEEN = 10_000;

/** Of a longer element than two of these, in characters, only both ends are remembered. */
const END = 500;

export function startSeen(head: string): Seen {
  const traces = new Set([traceOf(head)]);
  return {
    has: (element) => traces.has(traceOf(element)),
    add(elements) {
      // The newest last: the oldest are forgotten first.
      for (const element of elements.toReversed()) traces.add(traceOf(element));
      for (const trace of traces) {
        if (traces.size <= MOST_SEEN) break;
        traces.delete(trace);
      }
    },
  };
}

/**
 * What an element is known again by: itself or, of a long one, its length and its ends. Kombu writes the ticket and a
 * UUID of each reply at the end. Whoever pushes one that only looks like one we have seen gains no more than by pushing
 * a copy of that. The ends are copied, by way of bytes: a slice would hold the whole text, and a hundred of 3.9 MB took
 * 390 MB.
 */
function traceOf(element: string): string {
  if (element.length <= 2 * END) return element;
  return Buffer.from(`${element.length} ${element.slice(0, END)}${element.slice(-END)}`, "utf8").toString(
    "utf8",
  );
}
