import type { ProcFiles } from "./proc-files.ts";
import { statusOf } from "./process-status.ts";

export interface Endpoint {
  /** As inet_ntop(3) and so Redis writes it; an IPv4 address in an IPv6 socket as plain IPv4. */
  readonly address: string;
  readonly port: number;
}

export interface TcpSocket {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly state: "established" | "connecting" | "close-wait" | "other";
}

/**
 * `own`: the sockets that the process holds. `shared`: its descriptors may not be read; all sockets of its network
 * namespace that belong to its user, among them its own. `unreadable`: nothing is known. `too-many`: neither, as the
 * namespace holds more than are read, or than could be read in time.
 */
export type Sockets =
  | { readonly kind: "own"; readonly sockets: readonly TcpSocket[] }
  | { readonly kind: "shared"; readonly sockets: readonly TcpSocket[] }
  | { readonly kind: "unreadable" }
  | { readonly kind: "too-many" };

/** What the tables of a process' network namespace hold, and why that is not known. */
export type SocketTables = (pid: number) => readonly TcpEntry[] | "unreadable" | "too-many";

/** How much of a table is read at most, in bytes: 220,000 sockets, which take 60 MB of memory. */
const MOST_BYTES = 32 * 1024 * 1024;

/**
 * Reads each namespace's tables once: a machine may hold tens of thousands of sockets, and have hundreds of processes.
 * One for each look, as it never reads anew.
 *
 * @param leftMs how long reading may take, in milliseconds
 */
export function socketTables(proc: ProcFiles, leftMs: () => number = () => Infinity): SocketTables {
  const known = new Map<string, ReturnType<SocketTables>>();
  return (pid) => {
    const namespace = proc.link(`/proc/${pid}/ns/net`);
    const found = namespace.ok ? known.get(namespace.value) : undefined;
    if (found !== undefined) return found;
    const entries = tcpEntries(proc, pid, (bytes) => bytes <= MOST_BYTES && leftMs() > 0);
    if (namespace.ok) known.set(namespace.value, entries);
    return entries;
  };
}

/**
 * The TCP sockets of a process, listening ones included (state `other`, remote port 0).
 *
 * @param tables the tables that several processes share
 */
export function socketsOf(proc: ProcFiles, pid: number, tables = socketTables(proc)): Sockets {
  const entries = tables(pid);
  if (typeof entries === "string") return { kind: entries };
  const inodes = socketInodes(proc, pid);
  if (inodes !== null) {
    return { kind: "own", sockets: entries.filter(({ inode }) => inodes.has(inode)).flatMap(socketOf) };
  }
  const uid = statusOf(proc, pid)?.uid ?? null;
  if (uid === null) return { kind: "unreadable" };
  return { kind: "shared", sockets: entries.filter((entry) => entry.uid === uid).flatMap(socketOf) };
}

/** Whether the process has a connection to that end; false if its sockets cannot be read. */
export function isConnectedTo(
  proc: ProcFiles,
  pid: number,
  remote: Endpoint,
  tables = socketTables(proc),
): boolean {
  const read = socketsOf(proc, pid, tables);
  return (
    (read.kind === "own" || read.kind === "shared") &&
    read.sockets.some(
      ({ remote: { address, port }, state }) =>
        state === "established" && port === remote.port && address === remote.address,
    )
  );
}

/** The far end of the TCP connection that is this descriptor; null: it has another use, or cannot be seen. */
export function remoteOf(proc: ProcFiles, pid: number, descriptor: number): Endpoint | null {
  const inode = socketInode(proc, pid, descriptor);
  const entries = inode === null ? null : socketTables(proc)(pid);
  if (entries === null || typeof entries === "string") return null;
  const [socket] = entries.filter((entry) => entry.inode === inode).flatMap(socketOf);
  return socket?.state === "established" ? socket.remote : null;
}

function socketInode(proc: ProcFiles, pid: number, descriptor: number | string): string | null {
  const target = proc.link(`/proc/${pid}/fd/${descriptor}`);
  return (target.ok && /^socket:\[(\d+)\]$/.exec(target.value)?.[1]) || null;
}

/** Null: the descriptors may not be read (another user's process, and no CAP_SYS_PTRACE). */
function socketInodes(proc: ProcFiles, pid: number): ReadonlySet<string> | null {
  const descriptors = proc.list(`/proc/${pid}/fd`);
  if (descriptors === null) return null;
  const inodes = new Set<string>();
  for (const descriptor of descriptors) {
    const target = proc.link(`/proc/${pid}/fd/${descriptor}`);
    // One that is closed meanwhile is gone.
    if (!target.ok && target.problem === "forbidden") return null;
    const inode = target.ok ? /^socket:\[(\d+)\]$/.exec(target.value)?.[1] : undefined;
    if (inode !== undefined) inodes.add(inode);
  }
  return inodes;
}

/** A line of a table; what it says of both ends is read where it is wanted, once. */
interface TcpEntry {
  readonly line: string;
  readonly uid: number;
  readonly inode: string;
  sockets?: readonly TcpSocket[];
}

function tcpEntries(
  proc: ProcFiles,
  pid: number,
  goesOn: (bytes: number) => boolean,
): ReturnType<SocketTables> {
  const tables = ["tcp", "tcp6"].map((name) => proc.read(`/proc/${pid}/net/${name}`, goesOn));
  if (tables.some((table) => !table.ok && table.problem === "cut")) return "too-many";
  // A kernel without IPv6 has no tcp6.
  if (tables.every(({ ok }) => !ok)) return "unreadable";
  return tables.flatMap((table) => (table.ok ? entriesIn(table.value) : []));
}

/**
 * `sl: LOCAL:PORT REMOTE:PORT ST tx:rx tr:when retrnsmt uid timeout inode …` (Documentation/networking/proc_net_tcp.rst).
 * Inode 0: nobody holds it any more (TIME_WAIT).
 */
const LINE = /^ *\d+: (\S+ \S+ \S\S) \S+ \S+ \S+ +(\d+) +\d+ ([1-9]\d*)(?!\S)/gm;

/** One expression for all of a table: to split 54,000 lines into their fields took 150 ms. */
function entriesIn(table: string): readonly TcpEntry[] {
  return Array.from(table.matchAll(LINE), ([, line = "", uid, inode = ""]) => ({
    line,
    uid: Number(uid),
    inode,
  }));
}

/** Nothing where the line is not of the form it should be. */
function socketOf(entry: TcpEntry): readonly TcpSocket[] {
  return (entry.sockets ??= readSocket(entry.line));
}

function readSocket(line: string): readonly TcpSocket[] {
  const [localText = "", remoteText = "", state = ""] = line.split(" ");
  const local = readEndpoint(localText);
  const remote = readEndpoint(remoteText);
  if (local === null || remote === null) return [];
  return [{ local, remote, state: STATES[state] ?? "other" }];
}

/** include/net/tcp_states.h */
const STATES: Readonly<Record<string, TcpSocket["state"]>> = {
  "01": "established",
  "02": "connecting",
  "08": "close-wait",
};

/** The address in words of 32 bits, each as a number of the machine, which on x86-64 and arm64 turns its bytes round. */
function readEndpoint(text: string): Endpoint | null {
  const [, address = "", port = ""] = /^((?:[0-9A-F]{8}){1,4}):([0-9A-F]{4})$/.exec(text) ?? [];
  const bytes: number[] = [];
  for (let word = 0; word < address.length; word += 8) {
    for (let at = word + 6; at >= word; at -= 2) bytes.push(parseInt(address.slice(at, at + 2), 16));
  }
  if (bytes.length === 4) return { address: bytes.join("."), port: parseInt(port, 16) };
  return bytes.length === 16 ? { address: ipv6(bytes), port: parseInt(port, 16) } : null;
}

/** glibc's inet_ntop: the longest run of two or more zero groups as `::`, the last four bytes dotted where IPv4 lies there. */
function ipv6(bytes: readonly number[]): string {
  const dotted = bytes.slice(12).join(".");
  const groups = Array.from({ length: 8 }, (_, at) => (bytes[2 * at] ?? 0) * 256 + (bytes[2 * at + 1] ?? 0));
  const run = longestZeroRun(groups);
  if (run.start === 0 && run.length === 5 && groups[5] === 0xffff) return dotted;
  if (run.start === 0 && run.length === 6) return `::${dotted}`;
  const hex = groups.map((group) => group.toString(16));
  if (run.length < 2) return hex.join(":");
  return `${hex.slice(0, run.start).join(":")}::${hex.slice(run.start + run.length).join(":")}`;
}

function longestZeroRun(groups: readonly number[]): { readonly start: number; readonly length: number } {
  let best = { start: -1, length: 0 };
  for (let start = 0; start < groups.length; start++) {
    let length = 0;
    while (groups[start + length] === 0) length++;
    if (length > best.length) best = { start, length };
  }
  return best;
}
