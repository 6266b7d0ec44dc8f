import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/**
 * What the kernel says about processes. On purpose, the test world reads it without code of `src/`. It proves that a
 * state was reached before the product is asked about it. All process numbers are from our own namespace.
 */

/** The letter of the state (`R`, `S`, `D`, `T`, `Z`), and the parent; undefined: the process is gone. */
export function processStat(pid: number): { readonly state: string; readonly parent: number } | undefined {
  const stat = readIfThere(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // The line is `pid (name) state ppid …`. The name may hold spaces and brackets, so read on from the last bracket.
  const [state = "", parent = ""] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return { state, parent: Number(parent) };
}

/** Whether it runs or could run: it is not gone and not a zombie. */
export function isAlive(pid: number): boolean {
  const state = processStat(pid)?.state;
  return state !== undefined && state !== "Z" && state !== "X";
}

/** Direct children, ascending. */
export function childrenOf(pid: number): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && processStat(Number(name))?.parent === pid)
    .map(Number)
    .sort((a, b) => a - b);
}

/** Arguments, with the program first. Empty: the process is gone or a zombie. */
export function commandOf(pid: number): string[] {
  return (readIfThere(`/proc/${pid}/cmdline`) ?? "").split("\0").slice(0, -1);
}

/** The numbers of a process, from our namespace inwards. The last one is its own view of itself. */
export function namespacePids(pid: number): number[] {
  const line = /^NSpid:\s+(.+)$/m.exec(readIfThere(`/proc/${pid}/status`) ?? "")?.[1] ?? "";
  return line.split(/\s+/).filter(Boolean).map(Number);
}

/** A TCP connection over IPv4. */
export interface Connection {
  readonly localPort: number;
  readonly remotePort: number;
  readonly isEstablished: boolean;
  /** The other end has closed it, and the process has not noticed. */
  readonly isCloseWait: boolean;
}

/** The TCP connections for which the process holds a socket. */
export function connectionsOf(pid: number): Connection[] {
  const inodes = new Set<string>();
  for (const fd of listIfThere(`/proc/${pid}/fd`)) {
    const inode = /^socket:\[(\d+)\]$/.exec(linkIfThere(`/proc/${pid}/fd/${fd}`))?.[1];
    if (inode !== undefined) inodes.add(inode);
  }
  const lines = (readIfThere(`/proc/${pid}/net/tcp`) ?? "").split("\n").slice(1, -1);
  return lines
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , , , , , , , , inode = ""]) => inodes.has(inode))
    .map(([, local = "", remote = "", state]) => ({
      localPort: portOf(local),
      remotePort: portOf(remote),
      isEstablished: state === "01",
      isCloseWait: state === "08",
    }));
}

/** `0100007F:18EB`: the port is the second half, in hexadecimal. */
function portOf(address: string): number {
  return Number.parseInt(address.slice(address.indexOf(":") + 1), 16);
}

function readIfThere(file: string): string | undefined {
  return unlessGone(() => readFileSync(file, "utf8"), undefined);
}

function linkIfThere(file: string): string {
  return unlessGone(() => readlinkSync(file), "");
}

function listIfThere(folder: string): string[] {
  return unlessGone(() => readdirSync(folder), []);
}

function unlessGone<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ESRCH") return otherwise;
    throw error;
  }
}
