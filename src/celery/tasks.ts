import { asObject } from "../pidbox/envelope.ts";

/** A task that a worker has in hand. */
export interface TaskInHand {
  readonly name: string;
  readonly id: string;
  /** When it was begun, in seconds since 1970; null: its pool has not begun it. */
  readonly startS: number | null;
}

/** The tasks in an answer to `active` or `reserved`, the oldest first; null: it is none. */
export function readTasks(answer: unknown): readonly TaskInHand[] | null {
  if (!Array.isArray(answer)) return null;
  return answer
    .flatMap((entry: unknown): readonly TaskInHand[] => {
      const { name, id, time_start: start } = asObject(entry) ?? {};
      if (typeof name !== "string" || typeof id !== "string") return [];
      return [{ name, id, startS: typeof start === "number" && start > 0 ? start : null }];
    })
    .sort((a, b) => (a.startS ?? Infinity) - (b.startS ?? Infinity));
}

/** For how long it has run, in seconds; 0: it has not begun. */
export function ageS({ startS }: TaskInHand, nowS: number): number {
  return startS === null ? 0 : Math.max(0, nowS - startS);
}
