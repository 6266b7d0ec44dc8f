import { readdir } from "node:fs/promises";

/** Files that only the machine with the build needs: its own executable, and the page about the folder. */
const LOCAL = new Set(["celery-probe", "README.md"]);

/** The checksums of a release's files, in the form that `sha256sum --check` reads. */
export const SUMS = "SHA256SUMS";

/**
 * The names of the files that are published with a release, without the checksums. The folders of the release contain
 * the same files again.
 */
export async function assetsOf(dist: string): Promise<readonly string[]> {
  const entries = await readdir(dist, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isFile()).map(({ name }) => name);
  return names.filter((name) => !LOCAL.has(name) && name !== SUMS).sort();
}
