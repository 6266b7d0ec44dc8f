import type { ProcFiles } from "./proc-files.ts";
import { statusOf } from "./process-status.ts";

export interface Endpoint {
  /** In the form of inet_ntop(3), which Redis also uses. An IPv4 address in an IPv6 socket is written as plain IPv4. */
  readonly address: string;
  readonly port: number;
}

export interface TcpSocket {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly state: "established" | "connecting" | "close-wait" | "other";
}

/**
 * - `own`: the sockets that the process holds.
 * - `shared`: we may not read its descriptors. These are all sockets of its user in its network namespace, with its own
 *   among them.
 * - `unreadable`: nothing is known.
 * - `too-many`: the namespace holds more sockets than we read, or than we could read in time.
 */
export type Sockets =
  | { readonly kind: "own"; readonly sockets: readonly TcpSocket[] }
  | { readonly kind: "shared"; readonly sockets: readonly TcpSocket[] }
  | { readonly kind: "unreadable" }
  | { readonly kind: "too-many" };

/** Reads the socket tables of a process' network namespace, or says why it cannot. */
export type SocketTables = (pid: number) => readonly TcpEntry[] | "unreadable" | "too-many";

/** The most bytes of a table that are read: 220,000 sockets, which take 60 MB of memory. */
const MOST_BYTES = 32 * 1024 * 1024;

/**
 * Reads the tables of each namespace once: a machine may hold tens of thousands of sockets and have hundreds of
 * processes. Make a new one for each look, because it never reads a table again.
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
 * The TCP sockets of a process, including listening ones (state `other`, remote port 0).
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

/** The far end of this descriptor's TCP connection; null: it is not a TCP connection, or we cannot see it. */
export function remoteOf(proc: ProcFiles, pid: number, descriptor: number): Endpoint | null {
  const link = proc.link(`/proc/${pid}/fd/${descriptor}`);
  const inode = link.ok ? inodeIn(link.value) : null;
  const entries = inode === null ? null : socketTables(proc)(pid);
  if (entries === null || typeof entries === "string") return null;
  const [socket] = entries.filter((entry) => entry.inode === inode).flatMap(socketOf);
  return socket?.state === "established" ? socket.remote : null;
}

/** What a descriptor's link says of a socket. Null: it is no socket. */
function inodeIn(link: string): string | null {
  return /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? null;
}

/** Null: we may not read the descriptors (another user's process, and no CAP_SYS_PTRACE). */
function socketInodes(proc: ProcFiles, pid: number): ReadonlySet<string> | null {
  const descriptors = proc.list(`/proc/${pid}/fd`);
  if (descriptors === null) return null;
  const inodes = new Set<string>();
  for (const descriptor of descriptors) {
    const target = proc.link(`/proc/${pid}/fd/${descriptor}`);
    // A descriptor that was closed meanwhile is gone.
    if (!target.ok && target.problem === "forbidden") return null;
    const inode = target.ok ? inodeIn(target.value) : null;
    if (inode !== null) inodes.add(inode);
  }
  return inodes;
}

/** A line of a table. Its two ends are parsed only when they are needed, once. */
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
 * `sl: LOCAL:PORT REMOTE:PORT ST tx:rx tr:when retrnsmt uid timeout inode …`
 * (Documentation/networking/proc_net_tcp.rst). Inode 0 means that no process holds the socket any more (TIME_WAIT).
 */
const LINE = /^ *\d+: (\S+ \S+ \S\S) \S+ \S+ \S+ +(\d+) +\d+ ([1-9]\d*)(?!\S)/gm;

/** Uses one expression for the whole table: splitting 54,000 lines into fields took 150 ms. */
function entriesIn(table: string): readonly TcpEntry[] {
  return Array.from(table.matchAll(LINE), ([, line = "", uid, inode = ""]) => ({
    line,
    uid: Number(uid),
    inode,
  }));
}

/** Empty if the line does not have the expected form. */
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

/**
 * The address is written as words of 32 bits. Each is a number in the byte order of the machine, so on x86-64 and arm64
 * its bytes are reversed.
 */
function readEndpoint(text: string): Endpoint | null {
  const [, address = "", port = ""] = /^((?:[0-9A-F]{8}){1,4}):([0-9A-F]{4})$/.exec(text) ?? [];
  const bytes: number[] = [];
  for (let word = 0; word < address.length; word += 8) {
    for (let at = word + 6; at >= word; at -= 2) bytes.push(parseInt(address.slice(at, at + 2), 16));
  }
  if (bytes.length === 4) return { address: bytes.join("."), port: parseInt(port, 16) };
  return bytes.length === 16 ? { address: ipv6(bytes), port: parseInt(port, 16) } : null;
}

/**
 * Writes an address as glibc's inet_ntop does. The longest run of two or more zero groups becomes `::`. If the address
 * contains an IPv4 address, its last four bytes are dotted.
 */
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
