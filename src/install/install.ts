import type { Host } from "../host.ts";
import type { Files, Left, Unwritten } from "../machine/parts.ts";

/** What came of an installation at `path`. */
export type Installation =
  | { readonly kind: "installed" | "replaced" | "already-there"; readonly path: string }
  | { readonly kind: "folder-in-the-way" | "no-file" | "foreign" | "unreadable"; readonly path: string }
  | { readonly kind: "failed"; readonly path: string; readonly problem: Unwritten };

const NAME = "celery-probe";

/**
 * A file that has not grown for so long, in milliseconds, is left from a run that was killed. A copy of 109 MB comes
 * in pieces of 1 MB.
 */
const STILL_MS = 2_000;
const LOOK_MS = 100;

/** A copy that another run took for an abandoned one is made again, so many times in all. */
const ATTEMPTS = 3;

/**
 * Copies this executable to a file, or into a folder under its own name. What is there and is no celery-probe stays as
 * it is.
 */
export async function install(given: string, { uuid, pause }: Host, files: Files): Promise<Installation> {
  const named = files.look(given);
  const isFolder = given.endsWith("/") || (named.ok && named.value.kind === "folder");
  const path = isFolder ? `${given.replace(/(?<!\/)\/+$/, "")}/${NAME}` : given;
  // Before anything is copied: a volume may have no room for one more.
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
 * Removes what runs that were killed have left beside `path`. Whether a run still goes on cannot be asked: it may be in
 * another container. But its file grows.
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
