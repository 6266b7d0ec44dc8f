import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** An ordinary user can do the same as root of his own user namespace, if the kernel allows it. */
export const IS_ROOT = process.getuid?.() === 0;

/**
 * The arguments of `unshare` for a command in its own process, mount and UTS namespaces, with a `/proc` that shows
 * nothing else. The command becomes process 1. It ends, with everything that it has started, when `unshare` ends.
 */
export function unshared(command: readonly string[]): string[] {
  const user = IS_ROOT ? [] : ["--user", "--map-root-user"];
  return [...user, "--kill-child", "--pid", "--fork", "--mount-proc", "--uts", "--", ...command];
}

/** The settings that forbid namespaces to an ordinary user, with the value that forbids them. */
const FORBIDDING = [
  ["kernel/apparmor_restrict_unprivileged_userns", "1"],
  ["kernel/unprivileged_userns_clone", "0"],
  ["user/max_user_namespaces", "0"],
  ["user/max_pid_namespaces", "0"],
] as const;

/** Why this kernel does not let us make namespaces, in one line with the setting that forbids it; null: it lets us. */
export function whyForbidden(): string | null {
  const { status, stderr, error } = spawnSync("unshare", unshared(["/bin/true"]), { encoding: "utf8" });
  if (status === 0) return null;
  const said = error === undefined ? stderr.trim().replaceAll("\n", "; ") : error.message;
  const setting = FORBIDDING.find(([name, value]) => readSetting(name) === value);
  const name = setting === undefined ? "" : ` (${setting[0].replace("/", ".")}=${setting[1]})`;
  return `${said}${name}`;
}

function readSetting(name: string): string | undefined {
  try {
    return readFileSync(`/proc/sys/${name}`, "utf8").trim();
  } catch {
    return undefined;
  }
}
