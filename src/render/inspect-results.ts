/** An answer for people: text after the node's name, and lines below it. */
export interface Shown {
  readonly summary: string | null;
  readonly lines: readonly string[];
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * A text as it is, any other value as JSON.
 *
 * @param space is put between a list's parts, so that lines can be broken there
 */
export function show(value: unknown, space = ""): string {
  if (typeof value === "string") return value;
  if (value === undefined) return "";
  const text = JSON.stringify(value);
  return space === "" ? text : text.replaceAll('","', `",${space}"`).replaceAll('":', `":${space}`);
}
