import { setTimeout as wait } from "node:timers/promises";

/** Longer than anything takes here, even on a busy machine. */
const LONGEST_MS = 60_000;

/**
 * Resolves when the condition holds, for tests that run beside each other. `expect.poll` does not know which of them it
 * belongs to.
 *
 * @throws Error that names the condition
 */
export async function until(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
  const end = performance.now() + LONGEST_MS;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`${what}: not within ${LONGEST_MS} ms`);
    await wait(20);
  }
}
