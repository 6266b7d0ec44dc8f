import { access, constants, readdir, rm } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { execa } from "execa";
import { alone, cached } from "../world/cache.ts";

/** Where Debian keeps what an administrator runs; not every root has it on PATH. */
const ADMINISTRATION = ["/usr/local/sbin", "/usr/sbin", "/sbin"] as const;

/** PATH with the administration's folders, for this process' children. */
export function searchPath(): string {
  const path = process.env["PATH"] ?? "";
  return [...path.split(delimiter).filter((folder) => folder !== ""), ...ADMINISTRATION].join(delimiter);
}

/** The path of a command that can be started; null where there is none. */
export async function findCommand(name: string): Promise<string | null> {
  for (const folder of searchPath().split(delimiter)) {
    const file = join(folder, name);
    try {
      await access(file, constants.X_OK);
      return file;
    } catch {
      // Not in this folder.
    }
  }
  return null;
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
    if ((await findCommand(command)) === null) missing.push(name);
  }
  if (missing.length > 0) await install(missing);
}

/** Installs Debian packages. @throws Error naming them where they cannot be installed from here */
export async function install(missing: readonly string[]): Promise<void> {
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

/**
 * The folder with the files of a Debian package, unpacked and not installed: a package that starts a service does not
 * start it here. What the package depends on is not there.
 *
 * @throws Error where it cannot be fetched from here
 */
export async function unpacked(name: string): Promise<string> {
  return cached(`debian-${name}`, `Debian's ${name}`, {}, async (folder) => {
    const options = { cwd: folder, env: { PATH: searchPath() }, stdin: "ignore" } as const;
    await alone("apt-get", async () => {
      await execa("apt-get", ["update", "--quiet"], options);
      await execa("apt-get", ["download", "--quiet", name], options);
    });
    const [archive = ""] = await readdir(folder);
    await execa("dpkg-deb", ["--extract", archive, "."], options);
    await rm(join(folder, archive));
  });
}

async function obstacleToInstalling(): Promise<string | undefined> {
  if ((await findCommand("apt-get")) === null) return "this is not Debian";
  if (process.getuid?.() !== 0) return "not root";
  return undefined;
}
