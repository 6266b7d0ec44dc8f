import { readCommandLine } from "./command.ts";
import { wholeEnvironment } from "./environment.ts";
import type { ProcFiles } from "./proc-files.ts";
import { isOfPool, statOf, statusOf } from "./process-status.ts";
import { folderOf } from "./written-files.ts";

/** Details of a worker in sight that a health check does not need. */
export interface WorkerDetails {
  /**
   * Its interpreter and the script that it was told to run, as written in the command line; null: not written there.
   */
  readonly interpreter: string | null;
  readonly script: string | null;
  /** Null: we may not read it, or setproctitle overwrote it. */
  readonly environment: ReadonlyMap<string, string> | null;
  /** Processes of its pool. */
  readonly children: readonly number[];
}

/** Reads the details of a worker. What has gone meanwhile is empty. */
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
  /** A `celery` script of another environment than the interpreter's; null: it is of the same environment. */
  readonly foreignScript: string | null;
}

/** Null: we cannot see its path. */
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

/**
 * The path by which we reach the file that a process writes to. A link to `/proc/self` would lead to our own open
 * files.
 */
export function asSeenBy(pid: number, path: string): string {
  const own = /^\/(?:dev\/(?:std(out|err)|fd\/(\d+))|proc\/self\/fd\/(\d+))$/.exec(path);
  if (own === null) return `/proc/${pid}/${path.startsWith("/") ? "root" : "cwd/"}${path}`;
  const [, stream, ...numbers] = own;
  return `/proc/${pid}/fd/${numbers.find(Boolean) ?? (stream === "out" ? 1 : 2)}`;
}
