import { programWords, readCommandLine } from "./command.ts";
import { isLeftBeat } from "./embedded-beat.ts";
import { runsPython } from "./interpreter.ts";
import type { ProcFiles } from "./proc-files.ts";
import { isOfPool, statOf, statusOf } from "./process-status.ts";
import { ownDepth } from "./survey.ts";

/** A process that may be a worker although its command line does not say so. */
export interface Candidate {
  readonly pid: number;
  readonly parent: number;
  /** The pid that the process itself sees. A worker's heartbeats carry it. */
  readonly innerPid: number;
  readonly startTicks: number;
  /** The program and its first arguments. They contain no secret. */
  readonly words: string;
  /** Whether it runs Python; null: we may not read its executable. */
  readonly isPython: boolean | null;
  /** It has the command line of its parent and has started no program of its own. */
  readonly isForked: boolean;
  /** Its title or its script names a Celery worker. */
  readonly saysWorker: boolean;
}

/**
 * All our processes that may be a worker by their command lines: scripts, titles that an application wrote, forks. Pool
 * processes are left out. So are programs that we know: Flower, a supervisor, and a beat, even one that outlives its
 * worker.
 *
 * @param known workers that their command lines show
 */
export function candidatesIn(
  proc: ProcFiles,
  known: readonly { readonly pid: number }[],
): readonly Candidate[] {
  const pids = (proc.pids() ?? []).filter(
    (pid) => pid !== proc.self && !known.some((one) => one.pid === pid),
  );
  const depth = ownDepth(proc);
  return pids.flatMap((pid): readonly Candidate[] => {
    const text = proc.read(`/proc/${pid}/cmdline`);
    // Kernel threads and zombies have no words.
    if (!text.ok || text.value === "") return [];
    const { kind } = readCommandLine(text.value);
    if (kind === "another" || kind === "child") return [];
    const stat = statOf(proc, pid);
    const status = statusOf(proc, pid);
    if (stat === null || status === null || isOfPool(status)) return [];
    if (status.namespacePids.length > depth || isLeftBeat(proc, pid, text.value, stat)) return [];
    const words = programWords(text.value);
    return [
      {
        pid,
        parent: stat.parent,
        innerPid: status.namespacePids.at(-1) ?? pid,
        startTicks: stat.startTicks,
        words,
        isPython: kind === "other" ? runsPython(proc, pid) : true,
        isForked: stat.isForked,
        saysWorker: /celery/i.test(words) && /worker/i.test(words),
      },
    ];
  });
}
