import type { FileLook, Files } from "../machine/parts.ts";
import type { WorkerProcess } from "./survey.ts";
import { identityOf, mayWrite } from "./may-write.ts";
import type { ProcFiles } from "./proc-files.ts";

/** Options of `celery worker` that name a file which the worker writes. */
const OPTIONS = ["logfile", "pidfile", "statedb", "schedule-filename"] as const;

/** A file, or its folder. */
interface NamedFile {
  /** The option that names it. */
  readonly option: string;
  readonly path: string;
  readonly isFolder: boolean;
}

/** Whether a worker can write the files of its command line. */
export type WrittenFiles =
  | { readonly kind: "writable"; readonly files: readonly string[] }
  | (NamedFile & {
      readonly kind: "forbidden";
      readonly owner: string;
      readonly mode: string;
      readonly user: string;
    })
  /** Its file system is mounted read-only. */
  | (NamedFile & { readonly kind: "read-only" })
  | { readonly kind: "no-folder"; readonly option: string; readonly path: string }
  /** Our user may not look at them. */
  | { readonly kind: "unseen"; readonly files: readonly string[] };

/** Whether a worker may write the files that its command line names. Empty: it names none, or the worker is gone. */
export function writtenFiles(
  proc: ProcFiles,
  files: Files,
  { pid, command }: WorkerProcess,
): readonly WrittenFiles[] {
  const identity = identityOf(proc, pid);
  if (identity === null) return [];
  const forbidden = (file: NamedFile, look: FileLook): readonly WrittenFiles[] => {
    if (look.isReadOnly) return [{ kind: "read-only", ...file }];
    if (mayWrite(identity, look)) return [];
    const owner = `${look.uid}:${look.gid}`;
    const user = `${identity.uid}:${identity.groups[0] ?? ""}`;
    return [{ kind: "forbidden", ...file, owner, mode: look.mode.toString(8), user }];
  };
  const [given, unseen]: [string[], string[]] = [[], []];
  const bad = OPTIONS.flatMap((name): readonly WrittenFiles[] => {
    const path = command.values.get(name);
    if (path === undefined || path === "" || path === "-") return [];
    given.push(path);
    const option = `--${name}`;
    const root = path.startsWith("/") ? `/proc/${pid}/root` : `/proc/${pid}/cwd/`;
    // Celery fills in %n and similar. Until then, only the folder can be checked.
    const file = path.includes("%") ? null : files.look(root + path);
    if (file?.ok) return forbidden({ option, path, isFolder: false }, file.value);
    const folder = folderOf(path);
    const look = file?.problem === "forbidden" ? file : files.look(root + folder);
    if (look.ok) return forbidden({ option, path: folder, isFolder: true }, look.value);
    if (look.problem !== "forbidden") return [{ kind: "no-folder", option, path: folder }];
    unseen.push(path);
    return [];
  });
  if (unseen.length > 0) return [...bad, { kind: "unseen", files: unseen }];
  return bad.length > 0 || given.length === 0 ? bad : [{ kind: "writable", files: given }];
}

export function folderOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash === -1 ? "." : slash === 0 ? "/" : path.slice(0, slash);
}
