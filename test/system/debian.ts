import { access, constants } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { execa } from "execa";
import { alone } from "../world/cache.ts";

/** Where Debian keeps what an administrator runs; not every root has it on PATH. */
const ADMINISTRATION = ["/usr/local/sbin", "/usr/sbin", "/sbin"] as const;

/** PATH with the administration's folders, for this process' children. */
export function searchPath(): string {
  const path = process.env["PATH"] ?? "";
  return [...path.split(delimiter).filter((folder) => folder !== ""), ...ADMINISTRATION].join(delimiter);
}

/** Whether a command of this name can be started. */
async function hasCommand(name: string): Promise<boolean> {
  for (const folder of searchPath().split(delimiter)) {
    try {
      await access(join(folder, name), constants.X_OK);
      return true;
    } catch {
      // Not in this folder.
    }
  }
  return false;
}

/**
 * Installs the Debian packages of those commands that are missing.
 *
 * @param packages the package by the command's name, e.g. `{ dockerd: "docker.io" }`
 * @throws Error naming what is missing where it cannot be installed from here, so that no test is skipped in silence
 */
export async function installMissing(packages: Readonly<Record<string, string>>): Promise<void> {
  const missing: string[] = [];
  for (const [command, name] of Object.entries(packages)) {
    if (!(await hasCommand(command))) missing.push(name);
  }
  if (missing.length === 0) return;
  const obstacle = await obstacleToInstalling();
  if (obstacle !== undefined) {
    throw new Error(`${obstacle}: install ${missing.join(", ")} by hand, or run as root on Debian`);
  }
  process.stderr.write(`installing ${missing.join(", ")} (apt-get)\n`);
  const environment = { DEBIAN_FRONTEND: "noninteractive", PATH: searchPath() };
  const options = { env: environment, stdin: "ignore" } as const;
  // Files of the suite run beside each other, and dpkg lets one in.
  await alone("apt-get", async () => {
    await execa("apt-get", ["update", "--quiet"], options);
    await execa("apt-get", ["install", "--yes", "--quiet", "--no-install-recommends", ...missing], options);
  });
}

async function obstacleToInstalling(): Promise<string | undefined> {
  if (!(await hasCommand("apt-get"))) return "this is not Debian";
  if (process.getuid?.() !== 0) return "not root";
  return undefined;
}
