import type { ProcFiles } from "./proc-files.ts";

/** What /proc/N/stat says. */
export interface Stat {
  /** The name, which the kernel shortens to 15 bytes. */
  readonly comm: string;
  /** One letter: R, S, D, I, T, t, Z, X. */
  readonly state: string;
  readonly parent: number;
  /** Time between the start of the machine and of the process, in ticks. */
  readonly startTicks: number;
  /** It was forked and never started a program (PF_FORKNOEXEC). So it runs a part of what its parent ran. */
  readonly isForked: boolean;
}

const PF_FORKNOEXEC = 0x40;

/** What /proc/N/status says that stat does not. */
export interface Status {
  /**
   * The numbers of the process, from the namespace of this /proc to its own. Kernels before 4.1 show only its own
   * number.
   */
  readonly namespacePids: readonly number[];
  /** The effective user. */
  readonly uid: number | null;
  /** One bit for each signal. The lowest bit is signal 1. */
  readonly ignored: bigint;
  readonly caught: bigint;
  readonly voluntarySwitches: number | null;
}

export const SIGINT = 2;
export const SIGQUIT = 3;

/** Null: the process is gone, or hidden. */
export function statOf(proc: ProcFiles, pid: number): Stat | null {
  const text = proc.read(`/proc/${pid}/stat`);
  if (!text.ok) return null;
  // The line is `pid (comm) state ppid …`. The name may hold blanks and brackets, so read on from the last bracket.
  const open = text.value.indexOf("(");
  const close = text.value.lastIndexOf(")");
  const fields = text.value.slice(close + 2).split(" ");
  const [state = "", parent] = fields;
  const startTicks = Number(fields[19]);
  if (open === -1 || state === "" || !Number.isFinite(startTicks)) return null;
  const isForked = (Number(fields[6]) & PF_FORKNOEXEC) !== 0;
  return { comm: text.value.slice(open + 1, close), state, parent: Number(parent), startTicks, isForked };
}

/** Null: the process is gone, or hidden. */
export function statusOf(proc: ProcFiles, pid: number): Status | null {
  const text = proc.read(`/proc/${pid}/status`);
  if (!text.ok) return null;
  const field = (name: string): string | undefined => {
    const at = text.value.indexOf(`\n${name}:`);
    if (at === -1) return undefined;
    const end = text.value.indexOf("\n", at + 1);
    return text.value.slice(at + name.length + 2, end === -1 ? undefined : end).trim();
  };
  const signals = (name: string): bigint => {
    const digits = field(name) ?? "";
    return /^[0-9a-f]+$/i.test(digits) ? BigInt(`0x${digits}`) : 0n;
  };
  const number = (digits: string | undefined): number | null =>
    digits !== undefined && /^\d+$/.test(digits) ? Number(digits) : null;
  return {
    namespacePids: (field("NSpid") ?? String(pid)).split(/\s+/).map(Number),
    uid: number(field("Uid")?.split(/\s+/)[1]),
    ignored: signals("SigIgn"),
    caught: signals("SigCgt"),
    voluntarySwitches: number(field("voluntary_ctxt_switches")),
  };
}

export function has(signals: bigint, signal: number): boolean {
  return ((signals >> BigInt(signal - 1)) & 1n) === 1n;
}

/**
 * Whether a process belongs to a pool, even when its main process is gone. A pool process ignores SIGINT
 * (celery/concurrency/prefork.py, WORKER_SIGIGNORE). It still has the handler of SIGQUIT that it was forked with, or
 * billiard's (billiard/common.py `reset_signals`). A main process catches SIGINT from its first moment, as every Python
 * does. If a shell started it in the background, it ignores SIGINT and SIGQUIT until Celery has installed its handlers
 * (celery/apps/worker.py `install_platform_tweaks`).
 *
 * Measured on 5.0.5, 5.2.7, 5.4.0, 5.6.3 and 5.7.0, with REMAP_SIGTERM too, and with the start method spawn. Pool
 * processes, also orphaned ones: ignored INT, caught HUP QUIT USR1 (TERM). Main processes: caught HUP INT QUIT USR1
 * TERM. While importing: caught INT. While importing in the background: ignored INT QUIT, caught none.
 */
export function isOfPool(status: Status): boolean {
  return has(status.ignored, SIGINT) && has(status.caught, SIGQUIT);
}
