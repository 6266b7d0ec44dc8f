import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";

export const ROOT = join(import.meta.dirname, "..");
const REPORTS = join(ROOT, ".cache/report");

/** The suites that write a report, in the order in which `.ci/run` runs them. */
export const SUITES = ["test", "system"] as const;
export type Suite = (typeof SUITES)[number] | "bun" | "musl";

const PROJECTS: Record<Suite, readonly string[]> = {
  test: ["unit", "e2e"],
  system: ["system", "system-alone", "page"],
  bun: ["e2e"],
  musl: ["e2e"],
};

export interface Count {
  readonly passed: number;
  readonly failed: number;
}

const reportOf = (suite: Suite) => join(REPORTS, `${suite}.json`);

/** Runs a command of the project and shows its output. Returns whether it ended with 0. */
export async function step(title: string, command: string, ...args: readonly string[]): Promise<boolean> {
  console.log(`\n── ${title}`);
  const { exitCode } = await execa(command, args, { cwd: ROOT, stdio: "inherit", reject: false });
  return exitCode === 0;
}

/**
 * Runs a command of the project beside another step. The other step has priority for the cores. The output is shown
 * when the command has ended. Returns whether it ended with 0.
 */
export async function stepBeside(
  title: string,
  command: string,
  ...args: readonly string[]
): Promise<boolean> {
  const began = performance.now();
  const { exitCode, all } = await execa("nice", [command, ...args], { cwd: ROOT, all: true, reject: false });
  console.log(
    `\n── ${title}: ${exitCode === 0 ? "ok" : "failed"}, ${seconds(performance.now() - began)} s\n${all}`,
  );
  return exitCode === 0;
}

const seconds = (ms: number) => Math.round(ms / 1_000);

/**
 * Runs the suite's tests and waits until the command `beside` them has also ended. Then prints how many tests passed
 * and failed, counted from the runner's report.
 */
export async function runTests(
  suite: Suite,
  beside: Promise<boolean> = Promise.resolve(true),
): Promise<boolean> {
  const ended = await step(
    `tests: ${PROJECTS[suite].join(", ")}`,
    "vitest",
    "run",
    ...PROJECTS[suite].flatMap((project) => ["--project", project]),
    `--outputFile.json=${reportOf(suite)}`,
  );
  const isWell = await beside;
  const { passed, failed } = countOf(suite);
  console.log(`\n${line({ passed, failed })}`);
  return ended && isWell && failed === 0 && passed > 0;
}

/** The counts in the runner's report of the suite. A missing report, or a file that could not run, is a failure. */
export function countOf(suite: Suite): Count {
  if (!existsSync(reportOf(suite))) return { passed: 0, failed: 1 };
  const report = JSON.parse(readFileSync(reportOf(suite), "utf8")) as {
    numPassedTests: number;
    numFailedTests: number;
    testResults: { status: string; assertionResults: { status: string }[] }[];
  };
  const broken = report.testResults.filter(
    ({ status, assertionResults }) =>
      status === "failed" && !assertionResults.some((result) => result.status === "failed"),
  );
  return { passed: report.numPassedTests, failed: report.numFailedTests + broken.length };
}

export function line({ passed, failed }: Count): string {
  return `${passed} passed, ${failed} failed`;
}
