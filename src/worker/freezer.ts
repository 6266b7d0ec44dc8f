import type { ProcFiles } from "./proc-files.ts";

/** Where the hierarchies of version 2 are mounted: alone, or beside version 1 (systemd's "hybrid"). */
const V2_MOUNTS = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"];
const V1_MOUNT = "/sys/fs/cgroup/freezer";

/**
 * The kernel functions in which a frozen process sleeps. In version 2 it is do_freezer_trap (kernel/signal.c), which
 * compilers put into get_signal. In version 1 it is __refrigerator (kernel/freezer.c). Measured on Linux 6.18 with
 * prefork, solo and gevent workers. If version 1 freezes a process in a futex or a nanosleep, the process stays there,
 * in state D. It is not recognised.
 */
const FROZEN_IN = new Set(["do_freezer_trap", "get_signal", "__refrigerator"]);

/**
 * Whether a process is in a frozen cgroup of version 1 or 2. `docker pause` and container runtimes freeze cgroups.
 *
 * @param state the letter of /proc/N/stat. It does not say "frozen": it is S under version 2, D under version 1
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
  // If our container shares only the PID namespace, we cannot reach the other container's cgroup. This file can be
  // read, but only as the process' user. A stopped or traced process may also sleep in get_signal.
  const waitsIn = proc.read(`/proc/${pid}/wchan`);
  return (state === "S" || state === "D") && waitsIn.ok && FROZEN_IN.has(waitsIn.value);
}

/**
 * How long the group of a process has been frozen since it was made, in milliseconds. Version 2 on Linux 6.18 or newer
 * tells it; 0 elsewhere. A group also counts the time for which its parents froze it.
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

/**
 * A group stays FREEZING if the kernel cannot reach one of its processes. Its other processes do not run then either.
 */
function isV1Frozen(proc: ProcFiles, folder: string): boolean {
  const state = proc.read(`${folder}/freezer.state`);
  return state.ok && /^FR(?:OZEN|EEZING)$/.test(state.value.trim());
}
