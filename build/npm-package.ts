import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import manifest from "../package.json" with { type: "json" };
import { cached } from "../test/world/cache.ts";

const ROOT = join(import.meta.dirname, "..");

/**
 * The folder of an optional dependency. npm installs this machine's. Any other package is fetched and must be the one
 * in the lock file.
 *
 * @throws Error if the registry does not have it, or has another one
 */
export async function npmPackage(name: keyof typeof manifest.optionalDependencies): Promise<string> {
  const installed = join(ROOT, "node_modules", name);
  if (existsSync(join(installed, "package.json"))) return installed;
  return fetchedPackage(name, manifest.optionalDependencies[name], await lockedIntegrity(name));
}

/**
 * The folder of an npm package without its dependencies, fetched once into `.cache/`.
 *
 * @param integrity in the form of lock files
 * @throws Error if the registry does not have it, or has another one
 */
export async function fetchedPackage(name: string, version: string, integrity: string): Promise<string> {
  const folder = await cached(
    `npm-${name.replaceAll(/[@/]/g, "-")}`,
    `${name} ${version}`,
    { version, integrity },
    async (fresh) => {
      await execa("npm", ["pack", "--silent", "--pack-destination", fresh, `${name}@${version}`], {
        cwd: fresh,
      });
      const [archive] = await readdir(fresh);
      if (archive === undefined) throw new Error(`npm has packed nothing for ${name}@${version}`);
      const path = join(fresh, archive);
      const digest = createHash("sha512")
        .update(await readFile(path))
        .digest("base64");
      if (`sha512-${digest}` !== integrity)
        throw new Error(`${name}@${version} has the integrity sha512-${digest}: expected ${integrity}`);
      await execa("tar", ["-xzf", path, "-C", fresh]);
      await rm(path);
    },
  );
  return join(folder, "package");
}

async function lockedIntegrity(name: string): Promise<string> {
  const lock = JSON.parse(await readFile(join(ROOT, "package-lock.json"), "utf8")) as {
    packages: Partial<Record<string, { integrity: string }>>;
  };
  const locked = lock.packages[`node_modules/${name}`];
  if (locked === undefined) throw new Error(`${name} is not in package-lock.json`);
  return locked.integrity;
}
