/** The one time budget of a run. Every step that waits gets it. All times are in milliseconds. */
export interface Deadline {
  /** The time that is left, never below 0. */
  readonly left: () => number;
  /** `ms`, or the time that is left if that is less. */
  readonly atMost: (ms: number) => number;
}

/** Time that is kept for judging, printing and ending. Ending may start the program once more (`main.ts`). */
const FINISH_MS = 100;

/**
 * A deadline `budgetMs` after the start of the process.
 *
 * @param now milliseconds since the process started, monotonic. The start-up of the runtime counts too
 */
export function startDeadline(budgetMs: number, now: () => number): Deadline {
  const left = () => Math.max(0, budgetMs - FINISH_MS - now());
  return { left, atMost: (ms) => Math.min(ms, left()) };
}
