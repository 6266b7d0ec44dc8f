import { setTimeout as wait } from "node:timers/promises";

/** Longer than anything takes here, on a machine with other work. */
const LONGEST_MS = 60_000;

/**
 * Resolves when it holds, for tests that run beside each other: `expect.poll` does not know which of them it belongs to.
 *
 * @throws Error naming what was awaited
 */
export async function until(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
  const end = performance.now() + LONGEST_MS;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`${what}: not within ${LONGEST_MS} ms`);
    await wait(20);
  }
}
