/** The answers as `celery inspect METHOD -j` prints them: one object, by full node name. */
export function inspectJson(results: ReadonlyMap<string, unknown>): string {
  return `${JSON.stringify(Object.fromEntries(results))}\n`;
}
