// Outside values have any form, and Number() and String() throw at some: `{"toString": 1}`, or a number so long that
// it is kept as text (pidbox/python-json.ts). The linter forbids them there: eslint.config.mjs.

/** Whether it counts things: an integer, 0 or more. */
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** A number, or a text that is one; NaN for all else. */
export function asNumber(value: unknown): number {
  return typeof value === "number" || typeof value === "string" ? Number(value) : NaN;
}

/** A text, or a number as one; empty for all else. */
export function asText(value: unknown): string {
  return typeof value === "string" ? value : typeof value === "number" ? String(value) : "";
}
