import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Container } from "../test/world/container.ts";

/** The started program: an absolute path, its arguments and its whole environment. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** The cost of one run. */
export interface Cost {
  /** Milliseconds from the start to the end. */
  readonly wallMs: number;
  /** CPU time in milliseconds, user and system, of the process and the children that it has waited for. */
  readonly cpuMs: number;
  /** Peak resident set in bytes, including mapped pages of files. */
  readonly peakBytes: number;
}

/** A longer health check is not a contender. */
const LONGEST_SECONDS = 50;

/**
 * Runs a command through the launcher `run.c` in the container.
 *
 * @param launcher the compiled `run.c`
 * @param cgroup the `cgroup.procs` of the cgroup that the command enters before it starts
 * @throws Error with the command's output if it does not end with exit code 0
 */
export async function run(
  container: Container,
  launcher: string,
  { file, args, env }: Command,
  cgroup = "-",
): Promise<Cost> {
  const output = join(container.folder, "output");
  const words = [String(LONGEST_SECONDS), output, cgroup, file, ...args];
  const { exitCode, stdout, stderr } = await container.run(launcher, words, env);
  if (exitCode !== 0) throw new Error(`the launcher failed with ${exitCode ?? "a signal"}: ${stderr}`);
  const report = readReport(stdout);
  if (report.exitCode !== 0) {
    const said = await readFile(output, "utf8");
    throw new Error(`'${[file, ...args].join(" ")}' ended with ${report.exitCode}; it printed:\n${said}`);
  }
  return report.cost;
}

/** Reads the line of `run.c`. @throws Error if it has another form */
export function readReport(line: string): { readonly cost: Cost; readonly exitCode: number } {
  if (!/^\d+ \d+ \d+ \d+ \d+$/.test(line)) throw new Error(`the launcher said ${JSON.stringify(line)}`);
  const [wall = 0, user = 0, system = 0, resident = 0, exitCode = 0] = line.split(" ").map(Number);
  const cost = { wallMs: wall / 1e6, cpuMs: (user + system) / 1e3, peakBytes: resident * 1_024 };
  return { cost, exitCode };
}
