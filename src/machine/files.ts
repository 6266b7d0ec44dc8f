import {
  chmodSync,
  constants,
  copyFileSync,
  readFileSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
} from "node:fs";
import { failure, type Outcome, success } from "../outcome.ts";
import type { CopyProblem, FileLook, FileProblem, Files } from "./parts.ts";

/** The files of this machine. */
export const files: Files = {
  look: (path) => attempt(() => lookOf(statSync(path))),
  compareWithSelf: (path) => attempt(() => compareWithSelf(path)),
  copySelf(path, unique) {
    const next = `${path}.${unique}`;
    try {
      copyFileSync(process.execPath, next, constants.COPYFILE_EXCL);
      chmodSync(next, 0o755);
      renameSync(next, path);
      return null;
    } catch (error) {
      attempt(() => {
        rmSync(next, { force: true });
      });
      return copyProblem(error);
    }
  },
};

function lookOf(stats: Stats): FileLook {
  return {
    kind: stats.isFile() ? "file" : stats.isDirectory() ? "folder" : "other",
    uid: stats.uid,
    gid: stats.gid,
    mode: stats.mode & 0o7777,
    bytes: stats.size,
    modifiedS: stats.mtimeMs / 1_000,
  };
}

/** What an executable begins with, and what every version of this one has in it (ELF(5); cli/options.ts). */
const ELF = "\x7fELF";
const MARK = "CELERY_PROBE_";

function compareWithSelf(path: string): "same" | "another-version" | "foreign" {
  const content = readFileSync(path);
  if (content.equals(readFileSync(process.execPath))) return "same";
  const isOurs = content.subarray(0, ELF.length).toString("latin1") === ELF && content.includes(MARK);
  return isOurs ? "another-version" : "foreign";
}

const CAUSES: Readonly<Record<string, CopyProblem["cause"]>> = {
  ENOENT: "no-folder",
  ENOTDIR: "no-folder",
  EROFS: "read-only",
  EACCES: "forbidden",
  EPERM: "forbidden",
  ENOSPC: "no-space",
  EDQUOT: "no-space",
};

function copyProblem(error: unknown): CopyProblem {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return { cause: CAUSES[code] ?? "other", detail: error instanceof Error ? error.message : String(error) };
}

function attempt<T>(work: () => T): Outcome<T, FileProblem> {
  try {
    return success(work());
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    return failure(code === "EACCES" || code === "EPERM" ? "forbidden" : "gone");
  }
}
