import type { ProcFiles } from "./proc-files.ts";

/** Interpreters, whatever they are called in the title, and uWSGI, which has one in itself. */
const PYTHON = /\/(?:(?:python|pypy)[\d.]*t?|uwsgi[^/]*)$/;

/** Whether a process runs Python, by its executable; null: it may not be looked at. */
export function runsPython(proc: ProcFiles, pid: number): boolean | null {
  const executable = proc.link(`/proc/${pid}/exe`);
  if (executable.ok) return PYTHON.test(executable.value);
  return executable.problem === "forbidden" ? null : false;
}

/**
 * The same by the libraries that it has loaded as well: an application that PyInstaller has packed is an executable of
 * its own. Takes a millisecond, so it is for a process that somebody has named.
 */
export function hasPython(proc: ProcFiles, pid: number): boolean | null {
  const byExecutable = runsPython(proc, pid);
  if (byExecutable !== false) return byExecutable;
  const loaded = proc.read(`/proc/${pid}/maps`);
  if (loaded.ok) return /python|pypy/.test(loaded.value);
  return loaded.problem === "forbidden" ? null : false;
}
