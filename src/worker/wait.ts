import type { ProcFiles } from "./proc-files.ts";
import { statusOf } from "./process-status.ts";
import { type Endpoint, remoteOf } from "./sockets.ts";

/** What a process waits for, where it does nothing else meanwhile. */
export type Wait =
  /** That somebody reads a full pipe: its `output`, if it is not known which of both, or a named pipe by its path. */
  | { readonly kind: "pipe"; readonly to: string }
  /** That a TCP connection has something for it, or takes more. */
  | { readonly kind: "connection"; readonly remote: Endpoint };

/** A wait of a thread, and how often it had gone to wait by then. */
export interface Sleep {
  readonly wait: Wait;
  readonly thread: number;
  readonly voluntarySwitches: number;
}

/** Where a thread sleeps that writes into a full pipe: the first up to Linux 6.13, the others measured on 6.18. */
const IN_PIPE_WRITE = new Set(["pipe_write", "anon_pipe_write", "fifo_pipe_write"]);

/** Where it sleeps in a socket without a timeout (net/ipv4/tcp.c), among other things; the second before Linux 4.10. */
const IN_SOCKET = new Set(["wait_woken", "sk_wait_data"]);

/**
 * Of its main thread, or else of another one that writes: the main thread waits for its lock to log a line. Null: it
 * runs, waits for something else, or may not be looked at.
 */
export function sleepOf(proc: ProcFiles, pid: number): Sleep | null {
  const own = sleepOfThread(proc, pid);
  if (own !== null) return own;
  for (const thread of (proc.list(`/proc/${pid}/task`) ?? []).map(Number)) {
    const sleep = thread === pid ? null : sleepOfThread(proc, thread);
    if (sleep?.wait.kind === "pipe") return sleep;
  }
  return null;
}

/** Each thread has a folder in /proc by its number, which the list of /proc leaves out (proc(5)). */
function sleepOfThread(proc: ProcFiles, thread: number): Sleep | null {
  const waitsIn = proc.read(`/proc/${thread}/wchan`);
  if (!waitsIn.ok) return null;
  const wait = IN_PIPE_WRITE.has(waitsIn.value)
    ? pipeWait(proc, thread)
    : IN_SOCKET.has(waitsIn.value)
      ? connectionWait(proc, thread)
      : null;
  const voluntarySwitches = wait === null ? null : (statusOf(proc, thread)?.voluntarySwitches ?? null);
  return wait === null || voluntarySwitches === null ? null : { wait, thread, voluntarySwitches };
}

/** The wait of a thread that has not woken between two looks. */
export function unbroken(before: Sleep | null | undefined, after: Sleep | null): Wait | null {
  const isSame = before?.thread === after?.thread && before?.voluntarySwitches === after?.voluntarySwitches;
  return isSame ? (after?.wait ?? null) : null;
}

/** Null: a pipe to a program that a task has started, which may take its time. */
function pipeWait(proc: ProcFiles, pid: number): Wait | null {
  const number = descriptorOf(proc, pid);
  if (number === null) return [1, 2].some((one) => isPipe(proc, pid, one)) ? toPipe("output") : null;
  if (number === 1 || number === 2) return toPipe(number === 1 ? "stdout" : "stderr");
  const target = proc.link(`/proc/${pid}/fd/${number}`);
  return target.ok && target.value.startsWith("/") ? toPipe(target.value) : null;
}

function toPipe(to: string): Wait {
  return { kind: "pipe", to };
}

/** A named one has a path; `/dev/null` and files never fill. */
function isPipe(proc: ProcFiles, pid: number, number: number): boolean {
  const target = proc.link(`/proc/${pid}/fd/${number}`);
  return target.ok && target.value.startsWith("pipe:");
}

function connectionWait(proc: ProcFiles, pid: number): Wait | null {
  const number = descriptorOf(proc, pid);
  const remote = number === null ? null : remoteOf(proc, pid, number);
  return remote === null ? null : { kind: "connection", remote };
}

/**
 * The first argument of its system call, which is a descriptor where it sleeps in a pipe or socket. Null: it may not be
 * read, which needs more than wchan (proc(5): PTRACE_MODE_ATTACH).
 */
function descriptorOf(proc: ProcFiles, pid: number): number | null {
  const call = proc.read(`/proc/${pid}/syscall`);
  const [, first] = (call.ok && /^\d+ 0x([0-9a-f]{1,8}) /.exec(call.value)) || [];
  return first === undefined ? null : parseInt(first, 16);
}
