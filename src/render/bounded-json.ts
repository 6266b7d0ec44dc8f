import { BUDGET_BYTES, json, type Printable } from "./gate.ts";
import { shortened } from "./speech.ts";

/**
 * How long texts may be, in characters, and how many entries lists have, at each attempt to keep the budget. No word of
 * ours is longer than 22.
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
 * An object for programs in what a health check's reader keeps. Where it is too long its texts are shortened in the
 * middle, then its lists, and its field `shortened` says so.
 */
export function boundedJson(object: object): Printable {
  // A text that is cut here does not fit below.
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
