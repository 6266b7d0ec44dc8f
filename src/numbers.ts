// Values from outside have any form, and Number() and String() throw at some of them. Examples are `{"toString": 1}`,
// or a number so long that it is kept as text (pidbox/python-json.ts). The linter forbids using the two on such values;
// see eslint.config.mjs.

/** Whether the value is a possible count: an integer, 0 or more. */
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** A number, or a text that contains one; NaN for everything else. */
export function asNumber(value: unknown): number {
  return typeof value === "number" || typeof value === "string" ? Number(value) : NaN;
}

/** A text, or a number as text; empty for everything else. */
export function asText(value: unknown): string {
  return typeof value === "string" ? value : typeof value === "number" ? String(value) : "";
}
