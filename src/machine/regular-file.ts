import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  opendirSync,
  openSync,
  readSync,
  renameSync,
  type Stats,
  statSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { failure, type Outcome, success } from "../outcome.ts";
import type { Left, Links, Unread, Unwritten } from "./parts.ts";

// Every file whose path comes from outside is read and written here. Only regular files are read and replaced. Reading
// a pipe waits for its other end, and /dev/zero never ends. If a file replaced a device, the device would be missing
// for the whole machine.

/** Bytes that are read at once. */
const PIECE = 65_536;

/**
 * Opens a file for reading if it is a regular file. It is checked before it is opened, because opening a device or a
 * pipe has effects: a watchdog begins to count, a writer's end opens. It is checked again after that, because it may be
 * another file by then.
 */
export function withFile<T>(
  path: string,
  links: Links,
  use: (fd: number, stats: Stats) => Outcome<T, Unread>,
): Outcome<T, Unread> {
  try {
    const isFollowed = links === "followed";
    const odd = oddity(isFollowed ? statSync(path) : lstatSync(path));
    if (odd !== null) return unfit(odd);
    const { O_RDONLY, O_NONBLOCK, O_NOCTTY, O_NOFOLLOW } = constants;
    const fd = openSync(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | (isFollowed ? 0 : O_NOFOLLOW));
    try {
      const stats = fstatSync(fd);
      const changed = oddity(stats);
      return changed === null ? use(fd, stats) : unfit(changed);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    return failure(unread(error));
  }
}

/** The whole content of a regular file. A file of more than `most` bytes is not read. */
export function readFile(path: string, most: number, links: Links): Outcome<Buffer, Unread> {
  return withFile(path, links, (fd, { size }) => {
    if (size > most) return tooLong(most);
    // Files of /proc have a size of 0, and a file may grow while it is read.
    const pieces: Buffer[] = [];
    for (let length = 0; length <= most;) {
      const piece = Buffer.alloc(Math.min(PIECE, most + 1 - length));
      const read = readSync(fd, piece);
      if (read === 0) return success(Buffer.concat(pieces));
      pieces.push(piece.subarray(0, read));
      length += read;
    }
    return tooLong(most);
  });
}

/** What a file is if it is not a regular file; null: it is regular. */
function oddity(stats: Stats): string | null {
  if (stats.isFile()) return null;
  if (stats.isDirectory()) return "a folder";
  if (stats.isSymbolicLink()) return "a symbolic link";
  if (stats.isFIFO()) return "a pipe";
  return stats.isSocket() ? "a socket" : "a device";
}

function unfit(detail: string) {
  return failure<Unread>({ kind: "unfit", detail });
}

function tooLong(most: number) {
  return unfit(`longer than ${most} bytes`);
}

function unread(error: unknown): Unread {
  const code = codeOf(error);
  switch (code) {
    case "ENOENT":
    case "ENOTDIR":
      return { kind: "gone", detail: code };
    case "EACCES":
    case "EPERM":
      return { kind: "forbidden", detail: code };
    // Kernel files such as /proc/kmsg, which wait until there is something to read.
    case "EAGAIN":
      return { kind: "unfit", detail: "a file that waits" };
    default:
      return { kind: "failed", detail: code };
  }
}

/** The code of the system, or of Node for a path with a NUL in it. Any other error is a bug of ours. */
function codeOf(error: unknown): string {
  if (error instanceof Error && "code" in error) return String(error.code);
  throw error;
}

/** The name of an unfinished file: this prefix and a UUID, in the folder of the final file. */
const UNFINISHED = ".celery-probe.";
const IS_UNFINISHED = /^\.celery-probe\.[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The most names of a folder that are searched for such files. It may be /tmp, and a check has 5 s. */
const MOST_NAMES = 10_000;

/** An unfinished file that has not grown for this long comes from a run that was killed. In milliseconds. */
const ABANDONED_MS = 60_000;

/**
 * Replaces a regular file or a free name by a new file, in one step. So a reader sees either the old file or the new
 * one. A link at the end of the path is not followed, and the name of the unfinished file is unpredictable. A user who
 * may write to the folder controls both names, but cannot affect files elsewhere.
 *
 * @param mode before the umask is applied
 * @returns null: it worked
 */
export function replaceFile(
  path: string,
  unique: string,
  mode: number,
  fill: (fd: number) => void,
  links: "replaced" | "refused" = "refused",
): Unwritten | null {
  const odd = oddityAt(path, links);
  if (odd !== null) return odd;
  const folder = dirname(path);
  for (const { path: left, writtenMs } of leftIn(folder))
    if (Date.now() - writtenMs > ABANDONED_MS) forget(left);
  const next = join(folder, UNFINISHED + unique);
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  try {
    const fd = openSync(next, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
    try {
      try {
        fill(fd);
      } finally {
        closeSync(fd);
      }
      renameSync(next, path);
      return null;
    } catch (error) {
      forget(next);
      throw error;
    }
  } catch (error) {
    return unwritten(error, folder);
  }
}

/** Removes a file if it is a regular file. A missing file is not an error. */
export function removeFile(path: string): Unwritten | null {
  const odd = oddityAt(path);
  if (odd !== null) return odd;
  try {
    unlinkSync(path);
    return null;
  } catch (error) {
    return codeOf(error) === "ENOENT" ? null : unwritten(error, dirname(path));
  }
}

/**
 * What prevents a file at this path; null: nothing does, as with a regular file or with a link that is to be replaced
 * itself.
 */
export function oddityAt(path: string, links: "replaced" | "refused" = "refused"): Unwritten | null {
  try {
    const stats = lstatSync(path);
    const detail = links === "replaced" && stats.isSymbolicLink() ? null : oddity(stats);
    return detail === null ? null : { cause: "unfit", detail };
  } catch {
    // The attempt to write will report it.
    return null;
  }
}

/** The unfinished files in a folder; empty if it may not be listed. */
export function leftIn(folder: string): readonly Left[] {
  try {
    const names = namesIn(folder, MOST_NAMES).filter((name) => IS_UNFINISHED.test(name));
    return names.flatMap((name): readonly Left[] => {
      const path = join(folder, name);
      const stats = lstatSync(path, { throwIfNoEntry: false });
      return stats?.isFile() ? [{ path, bytes: stats.size, writtenMs: stats.mtimeMs }] : [];
    });
  } catch {
    return [];
  }
}

/** The first `most` names in a folder, in no order. */
export function namesIn(folder: string, most: number): readonly string[] {
  const dir = opendirSync(folder, { bufferSize: 256 });
  try {
    const names: string[] = [];
    for (let entry = dir.readSync(); entry !== null && names.length < most; entry = dir.readSync())
      names.push(entry.name);
    return names;
  } finally {
    dir.closeSync();
  }
}

export function writeAll(fd: number, content: Buffer): void {
  for (let written = 0; written < content.length;) written += writeSync(fd, content, written);
}

export function forget(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // It is gone, or this user may not remove it.
  }
}

const CAUSES: Readonly<Record<string, Unwritten["cause"]>> = {
  ENOENT: "no-folder",
  ENOTDIR: "no-folder",
  EROFS: "read-only",
  EACCES: "forbidden",
  EPERM: "forbidden",
  ENOSPC: "no-space",
  EDQUOT: "no-space",
};

function unwritten(error: unknown, folder: string): Unwritten {
  const code = codeOf(error);
  const isThere = code === "ENOENT" && statSync(folder, { throwIfNoEntry: false }) !== undefined;
  // In a file system that cannot create files, such as /proc, the system reports that a new file is missing.
  const isRemoved = isThere && (error as NodeJS.ErrnoException).syscall === "rename";
  return {
    cause: isRemoved ? "removed" : isThere ? "other" : (CAUSES[code] ?? "other"),
    // The path is left out, because it would name the unfinished file.
    detail: (error as Error).message.replace(/, \w+(?: '[^]*)?$/, ""),
  };
}
