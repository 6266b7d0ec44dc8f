import { readdir } from "node:fs/promises";

/** What only the machine that has built a release needs: its own executable, and what it says about the folder. */
const LOCAL = new Set(["celery-probe", "README.md"]);

/** The sums of a release's files, as `sha256sum --check` reads them. */
export const SUMS = "SHA256SUMS";

/** The names of the files that are published with a release, without the sums; its folders have the same again. */
export async function assetsOf(dist: string): Promise<readonly string[]> {
  const entries = await readdir(dist, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isFile()).map(({ name }) => name);
  return names.filter((name) => !LOCAL.has(name) && name !== SUMS).sort();
}
