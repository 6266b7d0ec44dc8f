import { ageMs } from "./age.ts";
import { frozenForMs, isFrozen } from "./freezer.ts";
import type { ProcFiles } from "./proc-files.ts";
import { has, isOfPool, SIGQUIT, statOf, statusOf } from "./process-status.ts";

/** What one look at one process shows. */
export interface ProcessLook {
  /** `stopped`: by a signal; `traced`: a debugger holds it, for a moment or for long. */
  readonly state: "running" | "stopped" | "traced" | "zombie";
  /** Its cgroup is frozen: a paused container. */
  readonly frozen: boolean;
  /** How long its cgroup has been frozen in total, in milliseconds, as far as the kernel tells. */
  readonly frozenForMs: number;
  readonly ageMs: number;
  /** How often its main thread has started to wait; null: unknown. */
  readonly voluntarySwitches: number | null;
  /** Its main thread waits in epoll, as an event loop does between two events. */
  readonly waitsForEvents: boolean;
  /** The number of its pool processes. A beat (`-B`) and programs that tasks have started do not count. */
  readonly children: number;
  /** Whether Celery has installed its signal handlers. Before that it imports the application. */
  readonly handlesSignals: boolean;
}

/** Null: the process is gone, or its number now belongs to another process. */
export function examine(proc: ProcFiles, pid: number, startTicks: number): ProcessLook | null {
  const stat = statOf(proc, pid);
  const status = statusOf(proc, pid);
  if (stat?.startTicks !== startTicks || status === null) return null;
  const state = stateOf(stat.state);
  return {
    state,
    frozen: state !== "zombie" && isFrozen(proc, pid, stat.state),
    frozenForMs: frozenForMs(proc, pid),
    ageMs: ageMs(proc, startTicks),
    voluntarySwitches: status.voluntarySwitches,
    waitsForEvents: waitsForEvents(proc, pid),
    children: childrenOf(proc, pid).filter((child) => isPoolProcess(proc, child)).length,
    handlesSignals: has(status.caught, SIGQUIT),
  };
}

/**
 * The kernel functions in which a thread sleeps in epoll_wait: `ep_poll` on Linux 4 and 5, `do_epoll_wait` measured on
 * 6.18.
 */
const IN_EPOLL = new Set(["ep_poll", "do_epoll_wait"]);

function waitsForEvents(proc: ProcFiles, pid: number): boolean {
  const waitsIn = proc.read(`/proc/${pid}/wchan`);
  return waitsIn.ok && IN_EPOLL.has(waitsIn.value);
}

/**
 * proc(5): T is stopped, t is traced, Z and X have ended. R, S, D, I and letters of future kernels mean that it runs.
 */
function stateOf(letter: string): ProcessLook["state"] {
  if (letter === "T") return "stopped";
  if (letter === "t") return "traced";
  return letter === "Z" || letter === "X" ? "zombie" : "running";
}

/** Each thread has children of its own. A task in a thread pool may have started one. */
function childrenOf(proc: ProcFiles, pid: number): readonly number[] {
  const children: number[] = [];
  for (const thread of proc.list(`/proc/${pid}/task`) ?? []) {
    const text = proc.read(`/proc/${pid}/task/${thread}/children`);
    if (!text.ok) return childrenByParent(proc, pid);
    children.push(
      ...text.value
        .split(" ")
        .filter((word) => word.trim() !== "")
        .map(Number),
    );
  }
  return children;
}

/** For kernels built without CONFIG_PROC_CHILDREN. */
function childrenByParent(proc: ProcFiles, pid: number): readonly number[] {
  return (proc.pids() ?? []).filter((other) => statOf(proc, other)?.parent === pid);
}

function isPoolProcess(proc: ProcFiles, pid: number): boolean {
  const status = statusOf(proc, pid);
  return status !== null && isOfPool(status);
}
