import { programWords } from "./command.ts";
import { isLeftBeat } from "./embedded-beat.ts";
import { hasPython } from "./interpreter.ts";
import type { ProcFiles } from "./proc-files.ts";
import { type Instead, processByPid, workerByPid, type WorkerProcess } from "./survey.ts";

/**
 * The worker that a pid file names. The file outlives its process, and the number may belong to another program by now.
 * We accept a program that may run a worker. A program that certainly does not is reported as another process.
 */
export function workerOfPidfile(proc: ProcFiles, pid: number): WorkerProcess | Instead | null {
  const found = processByPid(proc, pid);
  if (found === null) return null;
  const { program, text, stat } = found;
  if (isLeftBeat(proc, pid, text, stat)) return { pid, what: "left-beat" };
  if (program.kind === "another" && program.what !== null) return { pid, what: program.what };
  // A zombie has no words and no executable.
  const isForeign = program.kind === "other" && stat.state !== "Z" && hasPython(proc, pid) === false;
  const worker = isForeign || program.kind === "another" ? null : workerByPid(proc, pid, "pidfile");
  return worker ?? { pid, what: "another", words: programWords(text) };
}
