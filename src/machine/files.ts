import {
  accessSync,
  closeSync,
  constants,
  fchmodSync,
  openSync,
  readSync,
  type Stats,
  statSync,
} from "node:fs";
import { dirname } from "node:path";
import { failure, type Outcome, success } from "../outcome.ts";
import { keepLastBytes } from "./last-bytes.ts";
import type { FileLook, FileProblem, Files, Unread, Unwritten } from "./parts.ts";
import { forget, leftIn, oddityAt, replaceFile, withFile, writeAll } from "./regular-file.ts";

/** The files of this machine. */
export const files: Files = {
  look,
  tail: (path, bytes) => partOf(path, bytes, true),
  head: (path, bytes) => partOf(path, bytes, false),
  obstacle: (path) => oddityAt(path),
  write: (path, content, unique) =>
    replaceFile(path, unique, 0o600, (fd) => {
      writeAll(fd, Buffer.from(content));
    }),
  input,
  compareWithSelf,
  copySelf,
  left: (path) => leftIn(dirname(path)),
  forget: ({ path }) => {
    forget(path);
  },
};

function lookOf(stats: Stats, path: string): FileLook {
  return {
    kind: stats.isFile() ? "file" : stats.isDirectory() ? "folder" : "other",
    uid: stats.uid,
    gid: stats.gid,
    mode: stats.mode & 0o7777,
    isReadOnly: isOnReadOnly(path),
    bytes: stats.size,
    modifiedS: stats.mtimeMs / 1_000,
  };
}

function partOf(path: string, bytes: number, fromEnd: boolean): Outcome<string, Unread> {
  return withFile(path, "followed", (fd, { size }) => {
    const room = Buffer.alloc(Math.min(bytes, size));
    const read = readInto(room, fd, fromEnd ? Math.max(0, size - bytes) : 0);
    return success(room.subarray(0, read).toString("utf8"));
  });
}

/** Fills `room` from this position, or until the file ends. Returns how much of it is filled. */
function readInto(room: Buffer, fd: number, from: number): number {
  for (let read = 0; ;) {
    const more = readSync(fd, room, read, room.length - read, from + read);
    read += more;
    if (more === 0 || read === room.length) return read;
  }
}

function input(bytes: number, withinMs: number): Promise<string> {
  const last = keepLastBytes(bytes);
  const { promise, resolve } = Promise.withResolvers<string>();
  const end = () => {
    process.stdin.destroy();
    resolve(last.text());
  };
  const timer = setTimeout(end, Math.max(0, withinMs));
  process.stdin.on("data", (chunk: Buffer<ArrayBuffer>) => {
    last.add(chunk);
    // Without this, V8 keeps up to 64 MB of copied data in memory. Only this read uses this memory.
    if (chunk.buffer.byteLength === chunk.byteLength) chunk.buffer.transfer(0);
  });
  for (const event of ["end", "error", "close"])
    process.stdin.once(event, () => {
      clearTimeout(timer);
      end();
    });
  return promise;
}

/**
 * The first bytes of an executable (ELF(5)). Every version of this executable also contains a fixed text
 * (cli/options.ts).
 */
const ELF = "\x7fELF";
const MARK = "CELERY_PROBE_";

/** In bytes. Every version of this executable is smaller; this one has 109 MB. */
const BIGGEST = 1_073_741_824;

function compareWithSelf(path: string): Outcome<"same" | "another-version" | "foreign", Unread> {
  return withFile(path, "followed", (fd, { size }) => {
    if (size > BIGGEST) return success("foreign");
    const isSame = withFile(process.execPath, "followed", (own, stats) =>
      success(size === stats.size && hasContentOf(fd, own)),
    );
    if (!isSame.ok) return isSame;
    if (isSame.value) return success("same");
    const head = Buffer.alloc(ELF.length);
    readInto(head, fd, 0);
    return success(head.toString("latin1") === ELF && contains(fd, MARK) ? "another-version" : "foreign");
  });
}

/** Bytes that are in memory at once. A container with space to copy 100 MB may not have memory for them. */
const PIECE = 1_048_576;

function hasContentOf(one: number, other: number): boolean {
  const [left, right] = [Buffer.alloc(PIECE), Buffer.alloc(PIECE)];
  for (let at = 0; ;) {
    const read = readInto(left, one, at);
    if (read !== readInto(right, other, at)) return false;
    if (!left.subarray(0, read).equals(right.subarray(0, read))) return false;
    if (read < PIECE) return true;
    at += read;
  }
}

/** @param words in ASCII */
function contains(fd: number, words: string): boolean {
  const room = Buffer.alloc(PIECE);
  // The pieces overlap, because the words may lie across two of them.
  for (let at = 0; at < BIGGEST; at += PIECE - words.length) {
    const read = readInto(room, fd, at);
    if (room.subarray(0, read).includes(words)) return true;
    if (read < PIECE) return false;
  }
  return false;
}

function copySelf(path: string, unique: string): Unwritten | null {
  const fill = (fd: number) => {
    const own = openSync(process.execPath, constants.O_RDONLY);
    try {
      const room = Buffer.alloc(PIECE);
      for (let read = readSync(own, room); read > 0; read = readSync(own, room))
        writeAll(fd, room.subarray(0, read));
      // Overrides the umask: every user of the container must be able to run it.
      fchmodSync(fd, 0o755);
    } finally {
      closeSync(own);
    }
  };
  // It was compared with our own executable before. So a link leads to an older version, or to nothing.
  return replaceFile(path, unique, 0o600, fill, "replaced");
}

function look(path: string): Outcome<FileLook, FileProblem> {
  try {
    return success(lookOf(statSync(path), path));
  } catch (error) {
    const code = codeOf(error);
    return failure(code === "EACCES" || code === "EPERM" ? "forbidden" : "gone");
  }
}

/** Uses access(2), which also checks the mount and writes nothing. */
function isOnReadOnly(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return false;
  } catch (error) {
    return codeOf(error) === "EROFS";
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
