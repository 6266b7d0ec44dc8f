import { setTimeout as pause } from "node:timers/promises";

/** The time between two looks. Each one starts a docker client, so more looks would only load the machine. */
const EVERY_MS = 250;

/**
 * Returns the first result of `look` that is not empty. For states that send no event.
 *
 * @throws Error that names what was expected, and what `describe` says then, if `withinMs` have passed
 */
export async function until<T>(
  what: string,
  withinMs: number,
  look: () => Promise<T | undefined>,
  describe: () => Promise<string> = () => Promise.resolve(""),
): Promise<T> {
  const end = performance.now() + withinMs;
  for (;;) {
    const seen = await look();
    if (seen !== undefined) return seen;
    if (performance.now() > end) throw new Error(`${what}: not within ${withinMs} ms\n${await describe()}`);
    await pause(EVERY_MS);
  }
}
