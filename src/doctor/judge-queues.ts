import { slips } from "../slips.ts";
import type { QueueLimit } from "../cli/values.ts";

/** Where nothing is said of a queue. */
const USUAL_LIMIT = 1_000;

/** How many messages may wait in a queue: the last word of the options counts. */
export function limitOf(queue: string, limits: readonly QueueLimit[]): number {
  const own = limits.findLast((limit) => limit.queue === queue);
  const all = limits.findLast((limit) => limit.queue === null);
  return own?.limit ?? all?.limit ?? USUAL_LIMIT;
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

/** A queue that had work at both looks and lost none: nobody fetches from it. */
export function isLeftAlone(before: number | null | undefined, after: number | null | undefined): boolean {
  return typeof before === "number" && typeof after === "number" && before > 0 && after >= before;
}
