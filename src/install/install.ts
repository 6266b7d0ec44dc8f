import type { CopyProblem, Files } from "../machine/parts.ts";

/** What came of an installation at `path`. */
export type Installation =
  | { readonly kind: "installed" | "replaced" | "already-there"; readonly path: string }
  | { readonly kind: "folder-in-the-way" | "no-file" | "foreign" | "unreadable"; readonly path: string }
  | { readonly kind: "failed"; readonly path: string; readonly problem: CopyProblem };

const NAME = "celery-probe";

/**
 * Copies this executable to a file, or into a folder under its own name. What is there and is no celery-probe stays as
 * it is.
 *
 * @param unique a name that no other installation uses
 */
export function install(given: string, unique: string, files: Files): Installation {
  const named = files.look(given);
  const isFolder = given.endsWith("/") || (named.ok && named.value.kind === "folder");
  const path = isFolder ? `${given.replace(/(?<!\/)\/+$/, "")}/${NAME}` : given;
  const found = isFolder ? files.look(path) : named;
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
  const problem = files.copySelf(path, unique);
  if (problem !== null) return { kind: "failed", path, problem };
  return { kind: found.ok ? "replaced" : "installed", path };
}
