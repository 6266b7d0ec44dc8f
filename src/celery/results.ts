import { asObject, parseJson } from "../pidbox/envelope.ts";
import { isoSeconds } from "./iso-time.ts";

/** Keys of Celery's results (celery/backends/base.py `task_keyprefix`). */
export const RESULT_KEYS = "celery-task-meta-*";

/** The key of a result, and the channel that tells of it. Only for results without a prefix. */
export function resultKey(id: string): string {
  return RESULT_KEYS.replace("*", () => id);
}

/** In bytes. The beginning of a result contains its status, which comes first (celery/backends/base.py). */
export const BEGINNING = 48;

/** The status in the beginning of a result. Null: it is not Celery's JSON. */
export function statusOf(beginning: string): string | null {
  return /^\s*\{"status":\s*"([A-Z]{1,20})"/.exec(beginning)?.[1] ?? null;
}

/** The shown parts of a failure. Its message is left out, because it may contain anything. */
export interface Failure {
  readonly exception: string | null;
  /** Null without `result_extended`. */
  readonly task: string | null;
  /** Seconds since 1970. */
  readonly doneS: number | null;
}

export function readFailure(text: string): Failure | null {
  const meta = asObject(parseJson(text));
  if (meta === null) return null;
  const { name, date_done: done } = meta;
  // Celery writes the time in UTC. Older versions write no zone.
  return {
    exception: nameOf(asObject(meta["result"])?.["exc_type"]),
    task: nameOf(name),
    doneS: typeof done === "string" ? isoSeconds(done, "UTC") : null,
  };
}

function nameOf(value: unknown): string | null {
  return typeof value === "string" && /^[\w.<>-]{1,120}$/u.test(value) ? value : null;
}
