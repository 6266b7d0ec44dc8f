import { asObject, parseJson } from "../pidbox/envelope.ts";
import type { Counted } from "./facts/results.ts";
import { isoSeconds } from "../celery/iso-time.ts";

/** The beginning of a result, in bytes: enough for its status, which comes first (celery/backends/base.py). */
export const BEGINNING = 48;

/** The status of a result by its beginning; null: it is no JSON of Celery's. */
export function statusOf(beginning: string): string | null {
  return /^\s*\{"status":\s*"([A-Z]{1,20})"/.exec(beginning)?.[1] ?? null;
}

/** What is told of a failure; its message stays where it is, as it may hold anything. */
export interface Failure {
  readonly exception: string | null;
  /** Only with `result_extended`. */
  readonly task: string | null;
  /** Seconds since 1970. */
  readonly doneS: number | null;
}

/** Reads a whole result. */
export function readFailure(text: string): Failure | null {
  const meta = asObject(parseJson(text));
  if (meta === null) return null;
  const { name, date_done: done } = meta;
  // Celery writes it in UTC, of old without a zone.
  return {
    exception: nameOf(asObject(meta["result"])?.["exc_type"]),
    task: nameOf(name),
    doneS: typeof done === "string" ? isoSeconds(done, "UTC") : null,
  };
}

function nameOf(value: unknown): string | null {
  return typeof value === "string" && /^[\w.<>-]{1,120}$/u.test(value) ? value : null;
}

/** How often each is there, the most frequent first. */
export function counted(names: readonly (string | null)[], most: number): readonly Counted[] {
  const counts = new Map<string, number>();
  for (const name of names) if (name !== null) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts]
    .map(([name, count]) => ({ name, count }))
    .sort((a, b) => b.count - a.count)
    .slice(0, most);
}
