import type { ProcFiles } from "./proc-files.ts";
import { statusOf } from "./process-status.ts";
import { type Endpoint, remoteOf } from "./sockets.ts";

/** What a process waits for if it does nothing else meanwhile. */
export type Wait =
  /**
   * It waits until another program reads a full pipe. `to` is the path of a named pipe, or `output` if we cannot tell
   * which of the two outputs it is.
   */
  | { readonly kind: "pipe"; readonly to: string }
  /** It waits until a TCP connection has data for it, or takes more. */
  | { readonly kind: "connection"; readonly remote: Endpoint };

/** The wait of a thread, and how often the thread had started to wait by then. */
export interface Sleep {
  readonly wait: Wait;
  readonly thread: number;
  readonly voluntarySwitches: number;
}

/**
 * The kernel functions in which a thread sleeps when it writes into a full pipe. The first is of Linux up to 6.13. The
 * others were measured on 6.18.
 */
const IN_PIPE_WRITE = new Set(["pipe_write", "anon_pipe_write", "fifo_pipe_write"]);

/**
 * The functions in which a thread sleeps in a socket without a timeout (net/ipv4/tcp.c), and in some other cases. The
 * second is of Linux before 4.10.
 */
const IN_SOCKET = new Set(["wait_woken", "sk_wait_data"]);

/**
 * The wait of the main thread, or of another thread that writes: a main thread that logs a line waits for that thread's
 * lock. Null: it runs, waits for something else, or we may not look at it.
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

/** Each thread has a folder in /proc with its number. The list of /proc leaves these folders out (proc(5)). */
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

/** The wait of a thread that did not wake up between two looks. */
export function unbroken(before: Sleep | null | undefined, after: Sleep | null): Wait | null {
  const isSame = before?.thread === after?.thread && before?.voluntarySwitches === after?.voluntarySwitches;
  return isSame ? (after?.wait ?? null) : null;
}

/** Null: the pipe leads to a program that a task has started. That program may take its time. */
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

/** A named pipe has a path. `/dev/null` and files never become full. */
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
 * The first argument of the thread's system call. If it sleeps in a pipe or socket, this is a descriptor. Null: we may
 * not read it, which needs more rights than wchan (proc(5): PTRACE_MODE_ATTACH).
 */
function descriptorOf(proc: ProcFiles, pid: number): number | null {
  const call = proc.read(`/proc/${pid}/syscall`);
  const [, first] = (call.ok && /^\d+ 0x([0-9a-f]{1,8}) /.exec(call.value)) || [];
  return first === undefined ? null : parseInt(first, 16);
}
