import { readdirSync, readFileSync } from "node:fs";

/** What processes have used during a period. */
export interface Use {
  /** CPU seconds of each process, in the given order. */
  readonly cpu: readonly number[];
  /** Seconds by the clock. */
  readonly seconds: number;
}

/**
 * CPU seconds of a process since its start, in all its threads, to the nanosecond. `/proc/<pid>/stat` counts hundredths
 * of a second, which is too coarse for a ping. The first number of `schedstat` is the time that a thread has spent on a
 * CPU (Linux, Documentation/scheduler/sched-stats.rst).
 *
 * @throws Error if the process is gone or the kernel does not count this time (CONFIG_SCHED_INFO)
 */
export function cpuOf(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  const spent = threads.map((thread) => {
    const [nanoseconds] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ");
    return Number(nanoseconds);
  });
  return spent.reduce((sum, nanoseconds) => sum + nanoseconds, 0) / 1e9;
}

/** What the processes use during `work`. */
export async function cpuDuring(pids: readonly number[], work: () => Promise<unknown>): Promise<Use> {
  const before = pids.map(cpuOf);
  const began = performance.now();
  await work();
  const seconds = (performance.now() - began) / 1000;
  return { cpu: pids.map((pid, at) => cpuOf(pid) - (before[at] ?? 0)), seconds };
}

/** The cost of one of `count` events for each process: their use minus the use in the same time without events. */
export function costOfEach(use: Use, idle: Use, count: number): readonly number[] {
  return use.cpu.map((cpu, at) => (cpu - ((idle.cpu[at] ?? 0) / idle.seconds) * use.seconds) / count);
}
