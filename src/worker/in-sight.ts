import { readCommandLine } from "./command.ts";
import { wholeEnvironment } from "./environment.ts";
import type { ProcFiles } from "./proc-files.ts";
import { isOfPool, statOf, statusOf } from "./process-status.ts";
import { folderOf } from "./written-files.ts";

/** What more can be read of a worker in sight than a health check needs. */
export interface WorkerDetails {
  /** Its interpreter and the script it was told to run, as the command line has them; null where they are not there. */
  readonly interpreter: string | null;
  readonly script: string | null;
  /** Null: may not be read, or setproctitle wrote over it. */
  readonly environment: ReadonlyMap<string, string> | null;
  /** Processes of its pool. */
  readonly children: readonly number[];
}

/** Reads it; what is gone meanwhile is empty. */
export function detailsOf(proc: ProcFiles, pid: number): WorkerDetails {
  const text = proc.read(`/proc/${pid}/cmdline`);
  const [interpreter = null, script = null] =
    text.ok && !text.value.startsWith("[") ? text.value.split("\0").slice(0, -1) : [];
  return {
    interpreter,
    script: script?.includes("/") ? script : null,
    environment: wholeEnvironment(proc, pid),
    children: (proc.pids() ?? []).filter((other) => isChild(proc, other, pid)),
  };
}

function isChild(proc: ProcFiles, pid: number, parent: number): boolean {
  if (statOf(proc, pid)?.parent !== parent) return false;
  const text = proc.read(`/proc/${pid}/cmdline`);
  const status = statusOf(proc, pid);
  return (text.ok && readCommandLine(text.value).kind === "child") || (status !== null && isOfPool(status));
}

/** What a worker in sight runs on. */
export interface Interpreter {
  readonly path: string;
  readonly pythonPath: string | null;
  /** A `celery` of another environment than the interpreter; null: of the same. */
  readonly foreignScript: string | null;
}

/** Null: its path is not seen. */
export function interpreterOf(
  proc: ProcFiles,
  pid: number,
  { interpreter, script, environment }: WorkerDetails,
): Interpreter | null {
  const executable = proc.link(`/proc/${pid}/exe`);
  const seen = executable.ok ? executable.value : null;
  const path = interpreter?.includes("/") ? interpreter : seen;
  if (path === null) return null;
  const isForeign =
    script !== null &&
    /^\/(?:.*\/)?celery$/.test(script) &&
    path.startsWith("/") &&
    folderOf(script) !== folderOf(path);
  return {
    path,
    pythonPath: environment?.get("PYTHONPATH") ?? null,
    foreignScript: isForeign ? script : null,
  };
}

/** What a process writes to under a path; links to `/proc/self` would lead to what is open here. */
export function asSeenBy(pid: number, path: string): string {
  const own = /^\/(?:dev\/(?:std(out|err)|fd\/(\d+))|proc\/self\/fd\/(\d+))$/.exec(path);
  if (own === null) return `/proc/${pid}/${path.startsWith("/") ? "root" : "cwd/"}${path}`;
  const [, stream, ...numbers] = own;
  return `/proc/${pid}/fd/${numbers.find(Boolean) ?? (stream === "out" ? 1 : 2)}`;
}
