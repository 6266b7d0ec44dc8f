import type { OptionsGiven } from "../celery/worker-options.ts";
import { variableOf } from "../celery/worker-options.ts";
import { readCommandLine } from "./command.ts";
import { wholeEnvironment } from "./environment.ts";
import type { ProcFiles } from "./proc-files.ts";
import { isOfPool, type Stat, statOf, statusOf } from "./process-status.ts";

/** The words that click reads as true when a variable sets a flag. */
export const TRUE = /^(?:1|true|t|yes|y|on)$/i;

/** Whether a worker was told to run a beat of its own (`-B`). */
export function isToldBeat({ flags }: OptionsGiven): boolean {
  return flags.has("beat") || flags.has("B");
}

/** The same, and also true if a variable may say so: click 7 reads the variable, click 8.5 does not. */
export function mayHaveBeat(given: OptionsGiven, environment: ReadonlyMap<string, string> | null): boolean {
  return isToldBeat(given) || TRUE.test(environment?.get(variableOf("worker", "beat")) ?? "");
}

/** The title of a worker's own beat. A separate beat has its arguments after this text (celery/apps/beat.py). */
export function isBeatTitle(text: string): boolean {
  return /^\[celery beat\]\0*$/.test(text);
}

/**
 * The process of a worker's own beat (celery/beat.py `_Process`): the first child that is not a pool process. With the
 * pools solo and threads, tasks may also have forked children, but later.
 *
 * @returns null: there is no such process, or it has ended
 */
export function beatChildOf(proc: ProcFiles, worker: number): number | null {
  let first: { readonly pid: number; readonly startTicks: number } | null = null;
  for (const pid of proc.pids() ?? []) {
    const stat = statOf(proc, pid);
    if (stat?.parent !== worker || stat.state === "Z" || !mayBeBeat(proc, pid, stat)) continue;
    if (first === null || stat.startTicks < first.startTicks) first = { pid, startTicks: stat.startTicks };
  }
  return first?.pid ?? null;
}

/** A beat is forked. With the start method spawn it is a program of billiard's. */
function mayBeBeat(proc: ProcFiles, pid: number, { isForked }: Stat): boolean {
  const status = statusOf(proc, pid);
  if (status === null || isOfPool(status)) return false;
  const text = proc.read(`/proc/${pid}/cmdline`);
  return isForked || (text.ok && readCommandLine(text.value).kind === "child");
}

/**
 * Whether a process is the beat of a worker that has ended. Celery's own program has forked it, and it now has another
 * parent. A process that a task of such a worker has forked looks the same. It is not a worker either.
 */
export function isLeftBeat(proc: ProcFiles, pid: number, text: string, stat: Stat): boolean {
  if (!stat.isForked) return false;
  const parent = proc.read(`/proc/${stat.parent}/cmdline`);
  const parentText = parent.ok ? parent.value : "";
  if (isBeatTitle(text)) return !["main", "python"].includes(readCommandLine(parentText).kind);
  if (text.startsWith("[") || parentText === text) return false;
  const program = readCommandLine(text);
  if (program.kind !== "main" || !program.certain) return false;
  const status = statusOf(proc, pid);
  return status !== null && !isOfPool(status) && mayHaveBeat(program.command, wholeEnvironment(proc, pid));
}

/** The beat that a worker has left behind when no worker is here; null: no such beat. */
export function leftBeatIn(proc: ProcFiles): number | null {
  const depth = statusOf(proc, proc.self)?.namespacePids.length ?? 1;
  for (const pid of proc.pids() ?? []) {
    const text = proc.read(`/proc/${pid}/cmdline`);
    if (!text.ok || !text.value.includes("celery")) continue;
    const stat = statOf(proc, pid);
    const isOurs = (statusOf(proc, pid)?.namespacePids.length ?? Infinity) <= depth;
    if (stat !== null && isOurs && isLeftBeat(proc, pid, text.value, stat)) return pid;
  }
  return null;
}
