import type { Host } from "../host.ts";
import type { Files, Left, Unwritten } from "../machine/parts.ts";

/** The result of an installation at `path`. */
export type Installation =
  | { readonly kind: "installed" | "replaced" | "already-there"; readonly path: string }
  | { readonly kind: "folder-in-the-way" | "no-file" | "foreign" | "unreadable"; readonly path: string }
  | { readonly kind: "failed"; readonly path: string; readonly problem: Unwritten };

const NAME = "celery-probe";

/**
 * In milliseconds. A file that did not grow for this long was left by a run that was killed. A copy of 109 MB is
 * written in pieces of 1 MB.
 */
const STILL_MS = 2_000;
const LOOK_MS = 100;

/** How often a copy is tried. Another run may take it for an abandoned file and remove it. */
const ATTEMPTS = 3;

/**
 * Copies this executable to a file, or into a folder under its own name. An existing file of another program stays as
 * it is.
 */
export async function install(given: string, { uuid, pause }: Host, files: Files): Promise<Installation> {
  const named = files.look(given);
  const isFolder = given.endsWith("/") || (named.ok && named.value.kind === "folder");
  const path = isFolder ? `${given.replace(/(?<!\/)\/+$/, "")}/${NAME}` : given;
  // Done before copying, because a volume may have no room for another copy.
  await clear(path, files, pause);
  const found = files.look(path);
  if (!found.ok && found.problem === "forbidden") return { kind: "unreadable", path };
  if (found.ok) {
    if (found.value.kind === "folder") return { kind: "folder-in-the-way", path };
    if (found.value.kind === "other") return { kind: "no-file", path };
    const compared = files.compareWithSelf(path);
    if (!compared.ok) return { kind: "unreadable", path };
    if (compared.value === "foreign") return { kind: "foreign", path };
    if (compared.value === "same" && (found.value.mode & 0o777) === 0o755) {
      return { kind: "already-there", path };
    }
  }
  for (let attempt = 1; ; attempt++) {
    const problem = files.copySelf(path, uuid());
    if (problem === null) return { kind: found.ok ? "replaced" : "installed", path };
    if (problem.cause !== "removed" || attempt === ATTEMPTS) return { kind: "failed", path, problem };
  }
}

/**
 * Removes the files that killed runs left beside `path`. A run in another container may still be going on and cannot be
 * asked, but its file grows.
 */
async function clear(path: string, files: Files, pause: Host["pause"]): Promise<void> {
  let still = files.left(path);
  for (let waited = 0; still.length > 0 && waited < STILL_MS; waited += LOOK_MS) {
    await pause(LOOK_MS);
    const now = files.left(path);
    still = still.filter((one) => now.some((other) => isUnchanged(one, other)));
  }
  for (const left of still) files.forget(left);
}

function isUnchanged(one: Left, other: Left): boolean {
  return one.path === other.path && one.bytes === other.bytes && one.writtenMs === other.writtenMs;
}
