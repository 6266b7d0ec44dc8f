import { renameSync, rmSync, writeFileSync } from "node:fs";

/**
 * Replaces the file's content at once, or removes the file (`null`); gives what went wrong, in the system's words.
 *
 * @param pid ours: two that write at the same time do not meet before the end
 */
export function writeFile(path: string, content: string | null, pid: number): string | null {
  const next = `${path}.${pid}`;
  try {
    if (content === null) {
      rmSync(path, { force: true });
      return null;
    }
    writeFileSync(next, content);
    renameSync(next, path);
    return null;
  } catch (error) {
    rmSync(next, { force: true });
    return error instanceof Error ? error.message : String(error);
  }
}
