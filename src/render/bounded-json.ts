import { BUDGET_BYTES, json, type Printable } from "./gate.ts";
import { shortened } from "./speech.ts";

/**
 * Limits of each attempt to keep the budget: the length of texts in characters, and the entries of lists. Our own words
 * have at most 22 characters.
 */
const ATTEMPTS = [
  [512, Infinity],
  [256, Infinity],
  [128, Infinity],
  [64, 10],
  [32, 4],
  [24, 0],
] as const;

/**
 * An object as JSON, short enough to be kept whole by the reader of a health check. A longer object loses the middle of
 * its texts, then entries of its lists, and gets a field `shortened`.
 */
export function boundedJson(object: object): Printable {
  // A text of this length would exceed the budget anyway.
  let text = json(bounded(object, BUDGET_BYTES, Infinity));
  for (const [longest, most] of ATTEMPTS) {
    if (Buffer.byteLength(text) <= BUDGET_BYTES) break;
    text = json({ ...(bounded(object, longest, most) as object), shortened: true });
  }
  return text;
}

function bounded(value: unknown, longest: number, most: number): unknown {
  if (typeof value === "string") return shortened(value, longest);
  if (Array.isArray(value)) return value.slice(0, most).map((one) => bounded(one, longest, most));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, bounded(one, longest, most)]));
}
