import type { ProcessLook } from "./process.ts";

/** Two looks at least so far apart show that a process is stopped, or gone, in milliseconds. */
export const CERTAIN_MS = 100;

/** How a process is kept from running, by others than a debugger; null: it is not. */
export function haltOf(look: ProcessLook | null): "stopped" | "frozen" | null {
  if (look === null) return null;
  return look.frozen ? "frozen" : look.state === "stopped" ? "stopped" : null;
}
