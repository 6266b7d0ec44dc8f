import { join } from "node:path";
import { execa } from "execa";

const ROOT = join(import.meta.dirname, "..");

/**
 * The version of the sources from `git`: the first twelve digits of the commit, with a `+` after them if the sources
 * have changed since. Outside of a clone it is `unknown`. SOURCE_COMMIT names it if git is missing, as in the build of
 * an image.
 */
export async function commit(): Promise<string> {
  const { SOURCE_COMMIT = "" } = process.env;
  if (SOURCE_COMMIT !== "") return SOURCE_COMMIT;
  const git = (...args: readonly string[]) => execa("git", ["-C", ROOT, ...args], { reject: false });
  const head = await git("rev-parse", "--short=12", "HEAD");
  if (head.failed) return "unknown";
  const changes = await git("status", "--porcelain");
  return `${head.stdout}${changes.failed || changes.stdout !== "" ? "+" : ""}`;
}

/**
 * When the sources were committed, in seconds since 1970. All files of a release have this time. 0 outside of a clone.
 */
export async function commitTime(): Promise<number> {
  const { failed, stdout } = await execa("git", ["-C", ROOT, "log", "-1", "--format=%ct"], { reject: false });
  return failed ? 0 : Number(stdout);
}
