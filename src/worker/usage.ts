import type { ProcFiles } from "./proc-files.ts";

/** Memory of a process in bytes; null: gone, or a kernel's. */
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
  /** This process'. */
  readonly own: number;
  readonly throttled: number | null;
}

/** Shares of one core, 1 being all of it. */
export interface CpuShares {
  readonly main: number;
  readonly children: number;
  /** What this process took itself. */
  readonly own: number;
  readonly overMs: number;
  /** How often the control group was held back meanwhile; null: not told. */
  readonly throttled: number | null;
}

/** Of a process and of children of its. */
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

/** Null: the process was not there at both times. */
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

/** What the machine has and what is left of it, in bytes. */
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

/** What the control group of a container says. Bytes; null: no limit, or not told. */
export interface ControlGroup {
  readonly memoryLimit: number | null;
  /** Without memory that the kernel can free at once, as `docker stats` counts. */
  readonly memoryUsed: number | null;
  readonly oomKills: number | null;
  /** How often the group was kept from running because its share was used up. */
  readonly throttled: number | null;
}

/** No limit in version 1 is a number near 2^63. */
const UNLIMITED = 2 ** 60;

/** Reads the group of a process, of version 1 or 2 (cgroups(7)). */
export function controlGroup(proc: ProcFiles, pid: number): ControlGroup {
  const lines = proc.read(`/proc/${pid}/cgroup`);
  const paths = new Map<string, string>();
  for (const line of lines.ok ? lines.value.split("\n") : []) {
    const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    for (const name of (controllers ?? "").split(",")) if (path !== undefined) paths.set(name, path);
  }
  /** The group's own file, or the file of the mount's root, which is the container's if it has its own namespace. */
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
