import type { ProcFiles } from "../../src/worker/proc-files.ts";
import { type FakeProcess, fakeProc } from "../worker/fake-proc.ts";
import { OURS, type Tell } from "./fake-host.ts";

/** A connection as CLIENT LIST shows it. */
interface Row {
  readonly cmd: string;
  readonly flags?: string;
  readonly idle?: number;
  readonly age?: number;
  readonly psub?: number;
  readonly db?: number;
}

/** Of a worker that waits for work. */
export const POLLING: readonly Row[] = [
  { cmd: "brpop", flags: "b", idle: 0 },
  { cmd: "psubscribe", flags: "P", psub: 1 },
  { cmd: "publish", idle: 1 },
];

/** Of a worker that is blocked by its task. */
export const SILENT: readonly Row[] = [
  { cmd: "brpop", idle: 74 },
  { cmd: "psubscribe", flags: "P", psub: 1 },
  { cmd: "psubscribe", flags: "P", psub: 1 },
];

export const WORKER = {
  pid: 12,
  words: ["python", "/venv/bin/celery", "-A", "app", "worker"],
} satisfies FakeProcess;

/** A /proc in which each of these processes holds so many connections to the broker, and the machine is up for 1,000 s. */
export function procWith(
  processes: readonly (FakeProcess & { readonly connections?: number })[],
  files: Readonly<Record<string, string | null>> = {},
): ProcFiles & { readonly reads: string[] } {
  const lines = processes.flatMap(({ pid, connections = 0 }) =>
    Array.from({ length: connections }, (_, n) => tcpLine(portOf(pid, n))),
  );
  const tables = processes.map(({ pid }) => [`/proc/${pid}/net/tcp`, lines.join("\n")] as const);
  const holding = processes.map((process): FakeProcess => {
    const { pid, connections = 0, descriptors } = process;
    const own = Array.from({ length: connections }, (_, n) => `socket:[${portOf(pid, n)}]`);
    return { ...process, descriptors: descriptors === undefined ? ["/dev/null", ...own] : descriptors };
  });
  return fakeProc(holding, { "/proc/uptime": "1000.00 900.00\n", ...Object.fromEntries(tables), ...files });
}

/** A broker that is up for a day and lists our connection and those of the processes, alike. */
export function listing(rows: (time: number) => readonly Row[], pids: readonly number[] = [12]): Tell {
  return ([name], time) => {
    if (name === "INFO") return "# Server\r\nuptime_in_seconds:86400\r\n";
    return name === "CLIENT" ? clientList(rows(time), pids, time) : 0;
  };
}

function clientList(rows: readonly Row[], pids: readonly number[], time: number): string {
  const { address, port } = OURS.local;
  const own = `id=1 addr=${address}:${port} age=0 idle=0 flags=N db=0 sub=0 psub=0 cmd=client|list`;
  const theirs = pids.flatMap((pid) =>
    rows.map(({ cmd, flags = "N", idle = 0, age = 900, psub = 0, db = 0 }, n) => {
      const port = portOf(pid, n);
      return `id=${port} addr=${address}:${port} age=${age + Math.floor(time / 1_000)} idle=${idle} flags=${flags} db=${db} sub=0 psub=${psub} cmd=${cmd}`;
    }),
  );
  return `${[own, ...theirs].join("\n")}\n`;
}

/** Of the n-th connection of a process; its socket's inode as well. */
function portOf(pid: number, n: number): number {
  return 40_000 + pid * 100 + n;
}

/** A line of /proc/N/net/tcp: 10.0.0.7 is connected to the broker. */
function tcpLine(port: number): string {
  const local = `0700000A:${port.toString(16).toUpperCase()}`;
  return `   0: ${local} 0900000A:18EB 01 00000000:00000000 00:00000000 00000000  1000        0 ${port} 1`;
}
