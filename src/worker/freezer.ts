import type { ProcFiles } from "./proc-files.ts";

/** Where the hierarchies are mounted: alone, or side by side (systemd's "hybrid"). */
const V2_MOUNTS = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"];
const V1_MOUNT = "/sys/fs/cgroup/freezer";

/**
 * Where a frozen process sleeps: version 2 in do_freezer_trap (kernel/signal.c), which compilers put into get_signal,
 * version 1 in __refrigerator (kernel/freezer.c). Measured on Linux 6.18 with prefork, solo and gevent workers; a
 * process that version 1 catches in a futex or a nanosleep stays there, as state D, and is not recognised.
 */
const FROZEN_IN = new Set(["do_freezer_trap", "get_signal", "__refrigerator"]);

/**
 * Whether a process is in a frozen cgroup, as `docker pause` and container runtimes make it, of version 1 or 2.
 *
 * @param state the letter of /proc/N/stat, which does not say so: S under version 2, D under version 1
 */
export function isFrozen(proc: ProcFiles, pid: number, state: string): boolean {
  const groups = proc.read(`/proc/${pid}/cgroup`);
  for (const line of groups.ok ? groups.value.split("\n") : []) {
    const [, version, controllers = "", path = "/"] = /^(\d+):([^:]*):(.*)$/.exec(line) ?? [];
    if (
      version === "0" &&
      controllers === "" &&
      V2_MOUNTS.some((mount) => says(proc, mount, path, isV2Frozen))
    )
      return true;
    if (controllers.split(",").includes("freezer") && says(proc, V1_MOUNT, path, isV1Frozen)) return true;
  }
  // From a container that shares only the PID namespace the other's cgroup is out of reach; this needs its user. A
  // stopped or traced process may sleep in get_signal too.
  const waitsIn = proc.read(`/proc/${pid}/wchan`);
  return (state === "S" || state === "D") && waitsIn.ok && FROZEN_IN.has(waitsIn.value);
}

/**
 * For how long the group of a process has been frozen since it was made, in milliseconds, by version 2 of Linux 6.18
 * or newer; 0 where that is not told. A group also counts the time that its parents froze it for.
 */
export function frozenForMs(proc: ProcFiles, pid: number): number {
  const groups = proc.read(`/proc/${pid}/cgroup`);
  const path = groups.ok ? /^0::(.*)$/m.exec(groups.value)?.[1] : undefined;
  if (path === undefined || path.split("/").includes("..")) return 0;
  for (const mount of V2_MOUNTS) {
    const text = proc.read(`${mount}${path === "/" ? "" : path}/cgroup.stat.local`);
    const microseconds = text.ok ? /^frozen_usec (\d+)$/m.exec(text.value)?.[1] : undefined;
    if (microseconds !== undefined) return Number(microseconds) / 1_000;
  }
  return 0;
}

/**
 * Asks the group and its parents, but not the mount's root. The root is the whole machine, which cannot be frozen, or
 * our own container, in which we are running. A path with `..` leads out of our namespace.
 */
function says(
  proc: ProcFiles,
  mount: string,
  path: string,
  isFrozenIn: (proc: ProcFiles, folder: string) => boolean,
): boolean {
  const names = path.split("/").filter((name) => name !== "");
  if (names.includes("..")) return false;
  for (let length = names.length; length > 0; length--) {
    if (isFrozenIn(proc, [mount, ...names.slice(0, length)].join("/"))) return true;
  }
  return false;
}

function isV2Frozen(proc: ProcFiles, folder: string): boolean {
  const events = proc.read(`${folder}/cgroup.events`);
  return events.ok && /^frozen 1$/m.test(events.value);
}

/** FREEZING stays where a process cannot be reached, in which no other of the group runs either. */
function isV1Frozen(proc: ProcFiles, folder: string): boolean {
  const state = proc.read(`${folder}/freezer.state`);
  return state.ok && /^FR(?:OZEN|EEZING)$/.test(state.value.trim());
}
