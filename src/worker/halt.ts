import type { ProcessLook } from "./process.ts";

/** Two looks show that a process is stopped or gone if at least this many milliseconds lie between them. */
export const CERTAIN_MS = 100;

/** What keeps a process from running, other than a debugger; null: nothing. */
export function haltOf(look: ProcessLook | null): "stopped" | "frozen" | null {
  if (look === null) return null;
  return look.frozen ? "frozen" : look.state === "stopped" ? "stopped" : null;
}
