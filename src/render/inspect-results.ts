/** An answer for people: a word behind the node's name, and the lines below it. */
export interface Shown {
  readonly summary: string | null;
  readonly lines: readonly string[];
}

/** Whether it is an object with names. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Text as it is, anything else as JSON. @param space between the parts of a list, where lines may be broken */
export function show(value: unknown, space = ""): string {
  if (typeof value === "string") return value;
  if (value === undefined) return "";
  const text = JSON.stringify(value);
  return space === "" ? text : text.replaceAll('","', `",${space}"`).replaceAll('":', `":${space}`);
}
