import { expect } from "vitest";
import type { Code, Level } from "../../../src/doctor/finding.ts";
import type { Container } from "../../world/container.ts";
import { EXECUTABLE, type Probed, probe } from "../probe.ts";

/** A finding in the form of `--output json`. */
export interface Printed {
  readonly code: Code;
  readonly level: Level;
  readonly about: string | null;
  readonly seen: string;
  readonly next: string | null;
}

export interface Diagnosis extends Probed {
  readonly findings: readonly Printed[];
  /** Codes of problems. Each of them makes the exit code 1, even a code that a busy machine causes. */
  readonly problems: readonly Code[];
  /** The findings with this code. */
  readonly of: (code: Code) => readonly Printed[];
}

/** For what heartbeats show: two from each worker must be heard, at most 2.5 s apart. */
export const TWO_HEARTBEATS = ["--observe", "5s"];

/**
 * The doctor's command line. Two looks are enough for everything else. The default of 5 s would take half of these
 * tests' time.
 */
export function doctor(args: readonly string[]): string[] {
  const observed = args.includes("--observe") ? [] : ["--observe", "1s"];
  return ["doctor", "--output", "json", ...observed, ...args];
}

/** Runs the executable's doctor with only `env` as its environment. */
export async function diagnose(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Diagnosis> {
  return read(await probe(doctor(args), env));
}

/** The same inside a container, as `docker exec` does. */
export async function diagnoseIn(
  container: Container,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<Diagnosis> {
  return read(await container.run(EXECUTABLE, doctor(args), env));
}

/** The findings of `--output json`. */
export function readFindings(stdout: string): readonly Printed[] {
  const { findings } = JSON.parse(stdout) as {
    readonly findings: readonly (Pick<Printed, "code" | "level" | "about"> & {
      readonly message: string;
      readonly hint: string | null;
    })[];
  };
  return findings.map(({ message, hint, ...one }) => ({ ...one, seen: message, next: hint }));
}

function read(probed: Probed): Diagnosis {
  if (probed.stdout === "") throw new Error(`no findings: ${probed.stderr}`);
  const findings = readFindings(probed.stdout);
  return {
    ...probed,
    findings,
    problems: problemsIn(findings),
    of: (code) => findings.filter((finding) => finding.code === code),
  };
}

export function problemsIn(findings: readonly Printed[]): readonly Code[] {
  return findings.filter(({ level }) => level === "problem").map(({ code }) => code);
}

/** Text with these words, for `toMatchObject`. */
export function saying(words: RegExp): unknown {
  return expect.stringMatching(words);
}
