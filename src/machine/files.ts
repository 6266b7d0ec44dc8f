import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  fstatSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import { failure, type Outcome, success } from "../outcome.ts";
import type { CopyProblem, FileLook, FileProblem, Files } from "./parts.ts";

/** The files of this machine. */
export const files: Files = {
  look: (path) => attempt(() => lookOf(statSync(path))),
  tail: (path, bytes) => attempt(() => partOf(path, bytes, true)),
  head: (path, bytes) => attempt(() => partOf(path, bytes, false)),
  write,
  input,
  compareWithSelf: (path) => attempt(() => compareWithSelf(path)),
  copySelf: (path, unique) =>
    replace(path, unique, (next) => {
      copyFileSync(process.execPath, next, constants.COPYFILE_EXCL);
      chmodSync(next, 0o755);
    }),
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

function partOf(path: string, bytes: number, fromEnd: boolean): string {
  // A fifo without a writer would hold us for ever.
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const { size } = fstatSync(fd);
    const room = Buffer.alloc(Math.min(bytes, size));
    const read = readSync(fd, room, 0, room.length, fromEnd ? Math.max(0, size - bytes) : 0);
    return room.subarray(0, read).toString("utf8");
  } finally {
    closeSync(fd);
  }
}

function write(path: string, content: string, unique: string): CopyProblem | null {
  return replace(path, unique, (next) => {
    writeFileSync(next, content, { flag: "wx", mode: 0o600 });
  });
}

/** In one step: whoever reads meets the old file or the new one, and nothing is left beside it. */
function replace(path: string, unique: string, make: (next: string) => void): CopyProblem | null {
  const next = `${path}.${unique}`;
  try {
    make(next);
    renameSync(next, path);
    return null;
  } catch (error) {
    attempt(() => {
      rmSync(next, { force: true });
    });
    return copyProblem(error, dirname(path));
  }
}

function input(bytes: number, withinMs: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  const { promise, resolve } = Promise.withResolvers<string>();
  const end = () => {
    process.stdin.destroy();
    resolve(Buffer.concat(chunks).subarray(-bytes).toString("utf8"));
  };
  const timer = setTimeout(end, withinMs);
  process.stdin.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    size += chunk.length;
    for (let first = chunks[0]; first !== undefined && size - first.length >= bytes; first = chunks[0]) {
      size -= first.length;
      chunks.shift();
    }
  });
  for (const event of ["end", "error", "close"])
    process.stdin.once(event, () => {
      clearTimeout(timer);
      end();
    });
  return promise;
}

/** What an executable begins with, and what every version of this one has in it (ELF(5); cli/options.ts). */
const ELF = "\x7fELF";
const MARK = "CELERY_PROBE_";

function compareWithSelf(path: string): "same" | "another-version" | "foreign" {
  if (hasContentOf(path, process.execPath)) return "same";
  const isOurs = partOf(path, ELF.length, false) === ELF && contains(path, MARK);
  return isOurs ? "another-version" : "foreign";
}

/** Bytes that are in memory at once: a container that has room to copy 100 MB need not have it for their content. */
const PIECE = 1_048_576;

function hasContentOf(one: string, other: string): boolean {
  if (statSync(one).size !== statSync(other).size) return false;
  const [a, b] = [openSync(one, constants.O_RDONLY), openSync(other, constants.O_RDONLY)];
  try {
    const [left, right] = [Buffer.alloc(PIECE), Buffer.alloc(PIECE)];
    for (;;) {
      const read = readSync(a, left);
      if (read !== readSync(b, right) || !left.subarray(0, read).equals(right.subarray(0, read)))
        return false;
      if (read === 0) return true;
    }
  } finally {
    closeSync(a);
    closeSync(b);
  }
}

/** @param words ASCII */
function contains(path: string, words: string): boolean {
  const fd = openSync(path, constants.O_RDONLY);
  try {
    const room = Buffer.alloc(PIECE + words.length);
    // The end of each piece stands in front of the next, as the words may lie across both.
    for (let kept = 0; ; kept = words.length) {
      const read = readSync(fd, room, kept, PIECE, null);
      if (room.subarray(0, kept + read).includes(words)) return true;
      if (read < PIECE) return false;
      room.copyWithin(0, kept + read - words.length, kept + read);
    }
  } finally {
    closeSync(fd);
  }
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

function copyProblem(error: unknown, folder: string): CopyProblem {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  // In a file system that makes no files, as /proc, a new one is said to be missing.
  const isOther = code === "ENOENT" && attempt(() => statSync(folder)).ok;
  return {
    cause: isOther ? "other" : (CAUSES[code] ?? "other"),
    detail: error instanceof Error ? error.message : String(error),
  };
}

function attempt<T>(work: () => T): Outcome<T, FileProblem> {
  try {
    return success(work());
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    return failure(code === "EACCES" || code === "EPERM" ? "forbidden" : "gone");
  }
}
