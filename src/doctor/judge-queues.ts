import type { QueueLimit } from "../cli/values.ts";

/** Where nothing is said of a queue. */
const USUAL_LIMIT = 1_000;

/** How many messages may wait in a queue: the last word of the options counts. */
export function limitOf(queue: string, limits: readonly QueueLimit[]): number {
  const own = limits.findLast((limit) => limit.queue === queue);
  const all = limits.findLast((limit) => limit.queue === null);
  return own?.limit ?? all?.limit ?? USUAL_LIMIT;
}

/** A queue that had work at both looks and lost none: nobody fetches from it. */
export function isLeftAlone(before: number | null | undefined, after: number | null | undefined): boolean {
  return typeof before === "number" && typeof after === "number" && before > 0 && after >= before;
}
