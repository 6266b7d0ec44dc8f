import type { ProcFiles } from "./proc-files.ts";

/** Executables of interpreters, which may have any title. uWSGI contains an interpreter. */
const PYTHON = /\/(?:(?:python|pypy)[\d.]*t?|uwsgi[^/]*)$/;

/** Whether a process runs Python, by its executable; null: we may not read that. */
export function runsPython(proc: ProcFiles, pid: number): boolean | null {
  const executable = proc.link(`/proc/${pid}/exe`);
  if (executable.ok) return PYTHON.test(executable.value);
  return executable.problem === "forbidden" ? null : false;
}

/**
 * Like `runsPython`, but also looks at the libraries that the process has loaded: PyInstaller packs an application into
 * an executable of its own. It takes a millisecond, so it is used only for a process that the user has named.
 */
export function hasPython(proc: ProcFiles, pid: number): boolean | null {
  const byExecutable = runsPython(proc, pid);
  if (byExecutable !== false) return byExecutable;
  const loaded = proc.read(`/proc/${pid}/maps`);
  if (loaded.ok) return /python|pypy/.test(loaded.value);
  return loaded.problem === "forbidden" ? null : false;
}
