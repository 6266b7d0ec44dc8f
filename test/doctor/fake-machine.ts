import type { ProcFiles } from "../../src/worker/proc-files.ts";
import { procWith, WORKER } from "../health/fake-worker.ts";
import { SELF } from "../worker/fake-proc.ts";

/** What can be read of the worker's process and its container at one moment. */
export interface Moment {
  /** Kilobytes. */
  readonly resident?: number;
  readonly available?: number;
  /** Bytes of the container; `null`: it has no limit. */
  readonly limit?: number | null;
  readonly used?: number;
  readonly givable?: number;
  readonly kills?: number;
  /** null: the container has no share of its own. */
  readonly throttled?: number | null;
  /** CPU time since its start, in milliseconds. */
  readonly cpuMs?: number;
  /** The doctor's own. */
  readonly ownMs?: number;
}

/**
 * A machine with a worker in a container of this version of control groups. A fake one: limits, kills and throttling to
 * the very number cannot be had of a kernel; test/system/limits.test.ts has real ones.
 */
export function machine(version: 1 | 2, moment: Moment): ProcFiles {
  const { resident = 1_000, available = 1_000_000, limit = null, used = 500, givable = 0 } = moment;
  const { kills = 0, throttled = 0, cpuMs = 0, ownMs = 0 } = moment;
  const stat = (pid: number, ms: number) =>
    `${pid} (python) S 1 7 7 0 -1 4194304 9 0 0 0 ${ms / 10} 0 0 0 20 0 1 0 5000 0\n`;
  const cpu = throttled === null ? "usage_usec 1\n" : `nr_periods 10\nnr_throttled ${throttled}\n`;
  const group: Record<string, string> =
    version === 2
      ? {
          "/proc/12/cgroup": "0::/\n",
          "/sys/fs/cgroup/memory.max": limit === null ? "max\n" : `${limit}\n`,
          "/sys/fs/cgroup/memory.current": `${used}\n`,
          "/sys/fs/cgroup/memory.stat": `anon 1\ninactive_file ${givable}\n`,
          "/sys/fs/cgroup/memory.events": `oom 9\noom_kill ${kills}\n`,
          "/sys/fs/cgroup/cpu.stat": cpu,
        }
      : {
          "/proc/12/cgroup": "9:memory:/docker/a\n3:cpu,cpuacct:/docker/a\n",
          "/sys/fs/cgroup/memory/memory.limit_in_bytes": `${limit ?? "9223372036854771712"}\n`,
          "/sys/fs/cgroup/memory/memory.usage_in_bytes": `${used}\n`,
          "/sys/fs/cgroup/memory/memory.stat": `inactive_file 7\ntotal_inactive_file ${givable}\n`,
          "/sys/fs/cgroup/memory/memory.oom_control": `under_oom 0\noom_kill ${kills}\n`,
          "/sys/fs/cgroup/cpu/cpu.stat": cpu,
        };
  return procWith([WORKER], {
    "/proc/12/status": `Name:\tpython\nPPid:\t1\nVmRSS:\t${resident} kB\n`,
    "/proc/12/stat": stat(12, cpuMs),
    [`/proc/${SELF}/stat`]: stat(SELF, ownMs),
    "/proc/meminfo": `MemTotal: 9000000 kB\nMemAvailable: ${available} kB\n`,
    ...group,
  });
}
