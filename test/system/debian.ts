import { access, constants, readdir, rm } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { execa } from "execa";
import { alone, cached } from "../world/cache.ts";

/** Debian's folders for administration programs. Not every root has them in PATH. */
const ADMINISTRATION = ["/usr/local/sbin", "/usr/sbin", "/sbin"] as const;

/** PATH with the folders for administration, for this process' children. */
export function searchPath(): string {
  const path = process.env["PATH"] ?? "";
  return [...path.split(delimiter).filter((folder) => folder !== ""), ...ADMINISTRATION].join(delimiter);
}

/** The path of an executable command; null: there is no such command. */
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
 * Installs the Debian packages of missing commands.
 *
 * @param packages the package by the command's name, e.g. `{ dockerd: "docker.io" }`
 * @throws Error that names what is missing and cannot be installed here, so that no test is skipped silently
 */
export async function installMissing(packages: Readonly<Record<string, string>>): Promise<void> {
  const missing: string[] = [];
  for (const [command, name] of Object.entries(packages)) {
    if ((await findCommand(command)) === null) missing.push(name);
  }
  if (missing.length > 0) await install(missing);
}

/** Installs Debian packages. @throws Error that names them if they cannot be installed here */
export async function install(missing: readonly string[]): Promise<void> {
  const obstacle = await obstacleToInstalling();
  if (obstacle !== undefined) {
    throw new Error(`${obstacle}: install ${missing.join(", ")} by hand, or run as root on Debian`);
  }
  process.stderr.write(`installing ${missing.join(", ")} (apt-get)\n`);
  const environment = { DEBIAN_FRONTEND: "noninteractive", PATH: searchPath() };
  const options = { env: environment, stdin: "ignore" } as const;
  // Files of the suite run beside each other, and dpkg allows one at a time.
  await alone("apt-get", async () => {
    await execa("apt-get", ["update", "--quiet"], options);
    await execa("apt-get", ["install", "--yes", "--quiet", "--no-install-recommends", ...missing], options);
  });
}

/**
 * The folder with the files of a Debian package, unpacked but not installed, so that its service does not start here.
 * The package's dependencies are not there.
 *
 * @throws Error if it cannot be fetched here
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
