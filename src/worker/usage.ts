import type { ProcFiles } from "./proc-files.ts";

/** Memory of a process in bytes; null: it is gone, or is a kernel thread. */
export function residentBytes(proc: ProcFiles, pid: number): number | null {
  const status = proc.read(`/proc/${pid}/status`);
  const kilobytes = status.ok ? /^VmRSS:\s*(\d+) kB$/m.exec(status.value)?.[1] : undefined;
  return kilobytes === undefined ? null : Number(kilobytes) * 1024;
}

/** CPU time that a process has used since its start, in milliseconds. */
export function cpuMs(proc: ProcFiles, pid: number): number | null {
  const stat = proc.read(`/proc/${pid}/stat`);
  if (!stat.ok) return null;
  const fields = stat.value.slice(stat.value.lastIndexOf(")") + 2).split(" ");
  const ticks = Number(fields[11]) + Number(fields[12]);
  return Number.isFinite(ticks) ? (ticks * 1_000) / proc.ticksPerSecond : null;
}

/** CPU time in milliseconds, and when it was read. */
export interface CpuTimes {
  readonly atMs: number;
  readonly main: number | null;
  readonly children: ReadonlyMap<number, number>;
  /** The CPU time of the probe itself. */
  readonly own: number;
  readonly throttled: number | null;
}

/** Shares of one core. 1 is a whole core. */
export interface CpuShares {
  readonly main: number;
  readonly children: number;
  /** The share that the probe itself took. */
  readonly own: number;
  readonly overMs: number;
  /** How often the control group was throttled meanwhile; null: unknown. */
  readonly throttled: number | null;
}

/** The CPU times of a process and of its children. */
export function cpuTimes(
  { proc, now }: { readonly proc: ProcFiles; readonly now: () => number },
  pid: number,
  children: readonly number[],
): CpuTimes {
  return {
    atMs: now(),
    main: cpuMs(proc, pid),
    children: new Map(children.map((child) => [child, cpuMs(proc, child) ?? 0])),
    own: cpuMs(proc, proc.self) ?? 0,
    throttled: controlGroup(proc, pid).throttled,
  };
}

/** Null: the process did not exist at both times. */
export function cpuShares(before: CpuTimes, after: CpuTimes): CpuShares | null {
  const overMs = after.atMs - before.atMs;
  if (before.main === null || after.main === null || overMs <= 0) return null;
  const used = [...after.children].reduce((sum, [pid, ms]) => sum + ms - (before.children.get(pid) ?? ms), 0);
  return {
    main: (after.main - before.main) / overMs,
    children: used / overMs,
    own: (after.own - before.own) / overMs,
    overMs,
    throttled:
      after.throttled === null || before.throttled === null ? null : after.throttled - before.throttled,
  };
}

/** The memory of the machine and how much of it is free, in bytes. */
export function machineMemory(
  proc: ProcFiles,
): { readonly total: number; readonly available: number } | null {
  const text = proc.read("/proc/meminfo");
  const field = (name: string) =>
    text.ok ? new RegExp(`^${name}:\\s*(\\d+) kB$`, "m").exec(text.value)?.[1] : undefined;
  const [total, available] = [field("MemTotal"), field("MemAvailable")];
  return total === undefined || available === undefined
    ? null
    : { total: Number(total) * 1024, available: Number(available) * 1024 };
}

/** The limits and the use of a container's control group. In bytes; null: no limit, or unknown. */
export interface ControlGroup {
  readonly memoryLimit: number | null;
  /** Memory that the kernel can free at once does not count, as in `docker stats`. */
  readonly memoryUsed: number | null;
  readonly oomKills: number | null;
  /** How often the group could not run because it had used up its share. */
  readonly throttled: number | null;
}

/** In version 1, "no limit" is a number near 2^63. */
const UNLIMITED = 2 ** 60;

/** Reads the control group of a process, version 1 or 2 (cgroups(7)). */
export function controlGroup(proc: ProcFiles, pid: number): ControlGroup {
  const lines = proc.read(`/proc/${pid}/cgroup`);
  const paths = new Map<string, string>();
  for (const line of lines.ok ? lines.value.split("\n") : []) {
    const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    for (const name of (controllers ?? "").split(",")) if (path !== undefined) paths.set(name, path);
  }
  /**
   * Reads the group's own file, or the file of the mount's root. If the container has its own namespace, that root is
   * the container's group.
   */
  const read = (mount: string, controller: string, file: string): string | null => {
    const path = paths.get(controller);
    if (path === undefined) return null;
    for (const folder of path.includes("..") ? [mount] : [mount + path, mount]) {
      const text = proc.read(`${folder.replace(/\/$/, "")}/${file}`);
      if (text.ok) return text.value;
    }
    return null;
  };
  const v1 = (controller: string, file: string) => read(`/sys/fs/cgroup/${controller}`, controller, file);
  const v2 = (file: string) => read("/sys/fs/cgroup", "", file) ?? read("/sys/fs/cgroup/unified", "", file);
  const used = size(v2("memory.current") ?? v1("memory", "memory.usage_in_bytes"));
  const givable =
    within(v2("memory.stat"), "inactive_file") ??
    within(v1("memory", "memory.stat"), "total_inactive_file") ??
    0;
  return {
    memoryLimit: size(v2("memory.max") ?? v1("memory", "memory.limit_in_bytes")),
    memoryUsed: used === null ? null : Math.max(0, used - givable),
    oomKills:
      within(v2("memory.events"), "oom_kill") ?? within(v1("memory", "memory.oom_control"), "oom_kill"),
    throttled: within(v2("cpu.stat"), "nr_throttled") ?? within(v1("cpu", "cpu.stat"), "nr_throttled"),
  };
}

function size(text: string | null): number | null {
  const value = text === null ? NaN : Number(text.trim());
  return Number.isFinite(value) && value < UNLIMITED ? value : null;
}

function within(text: string | null, name: string): number | null {
  const value = text === null ? undefined : new RegExp(`^${name} (\\d+)$`, "m").exec(text)?.[1];
  return value === undefined ? null : Number(value);
}
