import { programWords, readCommandLine } from "./command.ts";
import { isLeftBeat } from "./embedded-beat.ts";
import { runsPython } from "./interpreter.ts";
import type { ProcFiles } from "./proc-files.ts";
import { isOfPool, statOf, statusOf } from "./process-status.ts";
import { ownDepth } from "./survey.ts";

/** A process that may be a worker, though its command line does not say so. */
export interface Candidate {
  readonly pid: number;
  readonly parent: number;
  /** The number that the process itself sees: a worker's heartbeats carry it. */
  readonly innerPid: number;
  readonly startTicks: number;
  /** The program and its first arguments; no secret is among them. */
  readonly words: string;
  /** Whether it runs Python; null: its program may not be looked at. */
  readonly isPython: boolean | null;
  /** It has its command line from its parent, and has started no program of its own. */
  readonly isForked: boolean;
  /** Its title or script speaks of a Celery worker. */
  readonly saysWorker: boolean;
}

/**
 * All processes of ours whose command lines exclude nothing: scripts, titles that an application wrote, forks. Pool
 * processes are left out, and so are known other programs: a beat (also one that outlives its worker), Flower, a
 * supervisor.
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
