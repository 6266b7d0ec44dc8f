import { json, type Printable } from "./gate.ts";

/** The answers as `celery inspect METHOD -j` prints them: one object, by full node name. */
export function inspectJson(results: ReadonlyMap<string, unknown>): Printable {
  return json(Object.fromEntries(results));
}
