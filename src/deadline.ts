/** The one budget of a run, handed down to every step that waits. All times in milliseconds. */
export interface Deadline {
  /** What is left of the budget, never below 0. */
  readonly left: () => number;
  /** `ms`, or what is left of the budget where that is less. */
  readonly atMost: (ms: number) => number;
}

/** Kept back from the budget for judging, printing and ending, which can mean to start once more (`main.ts`). */
const FINISH_MS = 100;

/**
 * A deadline `budgetMs` after the start of the process.
 *
 * @param now milliseconds since the process started, monotonic: the runtime's own start-up counts too
 */
export function startDeadline(budgetMs: number, now: () => number): Deadline {
  const left = () => Math.max(0, budgetMs - FINISH_MS - now());
  return { left, atMost: (ms) => Math.min(ms, left()) };
}
