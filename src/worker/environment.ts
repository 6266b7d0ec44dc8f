import type { ProcFiles } from "./proc-files.ts";

/** The whole environment that a process was started with; null: we may not read it, or setproctitle overwrote it. */
export function wholeEnvironment(proc: ProcFiles, pid: number): ReadonlyMap<string, string> | null {
  const text = proc.read(`/proc/${pid}/environ`);
  if (!text.ok || text.value.startsWith("\0")) return null;
  const entries = text.value.split("\0").filter((entry) => entry.includes("="));
  return new Map(
    entries
      .map((entry) => [entry.slice(0, entry.indexOf("=")), entry.slice(entry.indexOf("=") + 1)] as const)
      // If a name occurs twice, C and Python take the first value.
      .reverse(),
  );
}

/**
 * Whether a title has overwritten some of a process' variables. setproctitle writes a title over argv and the
 * environment after it, and fills the rest with NULs.
 */
export function hasLostVariables(proc: ProcFiles, pid: number): boolean {
  const text = proc.read(`/proc/${pid}/environ`);
  return text.ok && (text.value.startsWith("\0") || text.value.includes("\0\0"));
}
