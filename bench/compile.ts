import { join } from "node:path";
import { execa } from "execa";
import { installMissing } from "../test/system/debian.ts";

/**
 * Compiles the launcher, `run.c`, into `folder`.
 *
 * @returns its absolute path
 * @throws Error with the compiler's words, or with what to install
 */
export async function compileLauncher(folder: string): Promise<string> {
  // gcc is not enough, because it only recommends the C library's headers.
  await installMissing({ cc: "build-essential" });
  const launcher = join(folder, "run");
  const source = join(import.meta.dirname, "run.c");
  // Static: a new child counts its parent's peak memory as its own, so the launcher must be small.
  await execa("cc", ["-O2", "-Wall", "-Wextra", "-static", "-o", launcher, source], { stdin: "ignore" });
  return launcher;
}
