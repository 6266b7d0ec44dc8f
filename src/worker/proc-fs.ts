import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, readSync } from "node:fs";
import type { FileText, ProcFiles } from "./proc-files.ts";

/**
 * The /proc and /sys/fs/cgroup of this machine. It is synchronous, because a healthy check reads the command line of
 * every process before it sends anything. `readFileSync` with "utf8" is one call of Node's C++. It is faster than open,
 * read and close (0.5 ms against 0.7 ms for 88 files).
 */
export function procFs(ownAgeMs: ProcFiles["ownAgeMs"]): ProcFiles {
  return {
    ticksPerSecond: 100,
    ownAgeMs,
    get self() {
      const target = attempt(() => readlinkSync("/proc/self"));
      return target.ok ? Number(target.value) : 0;
    },
    pids() {
      const names = list("/proc");
      return names === null ? null : numbers(names);
    },
    read: (path, goesOn) =>
      attempt(() => (goesOn === undefined ? readFileSync(path, "utf8") : readPieces(path, goesOn))),
    link: (path) => attempt(() => readlinkSync(path)),
    list,
  };
}

/** The kernel writes /proc in pages of 4,096 bytes and takes 11 ms for a megabyte of sockets. */
function readPieces(path: string, goesOn: (bytes: number) => boolean): string | null {
  const file = openSync(path, "r");
  try {
    const pieces: Buffer[] = [];
    let bytes = 0;
    for (let isAtEnd = false; !isAtEnd;) {
      const piece = Buffer.allocUnsafe(PIECE_BYTES);
      let filled = 0;
      while (filled < PIECE_BYTES && !isAtEnd) {
        const count = readSync(file, piece, filled, PIECE_BYTES - filled, null);
        filled += count;
        isAtEnd = count === 0;
      }
      pieces.push(piece.subarray(0, filled));
      bytes += filled;
      if (!goesOn(bytes)) return null;
    }
    return Buffer.concat(pieces).toString("utf8");
  } finally {
    closeSync(file);
  }
}

const PIECE_BYTES = 256 * 1024;

function list(path: string): readonly string[] | null {
  try {
    return readdirSync(path);
  } catch {
    return null;
  }
}

/** A /proc without a process is not a /proc. An empty folder is there if nothing is mounted. */
function numbers(names: readonly string[]): readonly number[] | null {
  const found = names.filter((name) => /^\d+$/.test(name)).map(Number);
  return found.length === 0 ? null : found;
}

/** @param work returns null if it stopped early */
function attempt(work: () => string | null): FileText {
  try {
    const value = work();
    return value === null ? { ok: false, problem: "cut" } : { ok: true, value };
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    return { ok: false, problem: code === "EACCES" || code === "EPERM" ? "forbidden" : "gone" };
  }
}
