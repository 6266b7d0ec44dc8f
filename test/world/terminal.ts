import { join } from "node:path";
import { execa } from "execa";
import { findPython } from "./python.ts";

/** What to do with a program in a terminal; see terminal.py. */
export type Step =
  | readonly ["size", columns: number, rows: number]
  | readonly ["send", text: string]
  | readonly ["signal", number: number]
  | readonly ["stopped"]
  | readonly ["times", text: string, number: number]
  | readonly ["wait", pattern: string, seconds: number];

export interface TerminalRun {
  /** Everything that the program has written, including control sequences. */
  readonly output: string;
  readonly code: number | null;
  /** Whether the terminal's modes are as they were before. */
  readonly restored: boolean;
}

/**
 * The program's relation to its terminal: a job of a shell, or alone in its session, like a program that `docker exec`
 * starts.
 */
export type Kind = "job" | "alone";

/** Runs a program in a pseudo-terminal. @throws Error if it waits in vain for a text */
export async function inTerminal(
  command: readonly [string, ...string[]],
  env: Readonly<Record<string, string>>,
  size: { readonly columns: number; readonly rows: number },
  steps: readonly Step[],
  kind: Kind = "alone",
): Promise<TerminalRun> {
  const python = await findPython();
  const script = join(import.meta.dirname, "terminal.py");
  const args = [script, kind, String(size.columns), String(size.rows), ...command];
  const input = steps.map((step) => `${JSON.stringify(step)}\n`).join("");
  const { stdout } = await execa(python.path, args, { env, extendEnv: false, input });
  const run = JSON.parse(stdout) as TerminalRun | { readonly missed: string; readonly output: string };
  const output = Buffer.from(run.output, "latin1").toString("utf8");
  if ("missed" in run)
    throw new Error(`no /${run.missed}/ in the terminal:\n${JSON.stringify(output.slice(-2_000))}`);
  return { ...run, output };
}
