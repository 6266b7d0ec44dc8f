import { setTimeout as pause } from "node:timers/promises";

/** Between two looks: each one starts a docker client, so more often would only load the machine. */
const EVERY_MS = 250;

/**
 * What `look` returns as soon as it returns something; for states that nobody announces.
 *
 * @throws Error naming what was awaited, and what `describe` says then, when `withinMs` have passed
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
