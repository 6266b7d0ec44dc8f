import { join } from "node:path";
import { execa } from "execa";
import { installMissing } from "../test/system/debian.ts";

/** What the two C programs are compiled with. */
export interface Compiled {
  /** Absolute path of the launcher, `run.c`. */
  readonly run: string;
  /** Absolute path of the round trip, `roundtrip.c`. */
  readonly roundtrip: string;
}

/**
 * Compiles the C programs of this folder into `folder`.
 *
 * @throws Error with the compiler's words, or saying what to install
 */
export async function compileAll(folder: string): Promise<Compiled> {
  // Not gcc, which only recommends the C library's headers.
  await installMissing({ cc: "build-essential" });
  // Static: a child that has just been made counts its parent's peak memory as its own, so the launcher is small.
  return {
    run: await compile("run", folder, "-static"),
    roundtrip: await compile("roundtrip", folder),
  };
}

async function compile(name: string, folder: string, ...flags: readonly string[]): Promise<string> {
  const source = join(import.meta.dirname, `${name}.c`);
  const program = join(folder, name);
  await execa("cc", ["-O2", "-Wall", "-Wextra", ...flags, "-o", program, source], { stdin: "ignore" });
  return program;
}
