import { readdirSync, readFileSync } from "node:fs";

/** What processes have used while something went on. */
export interface Use {
  /** CPU seconds, of each process in the order asked. */
  readonly cpu: readonly number[];
  /** Seconds by the clock. */
  readonly seconds: number;
}

/**
 * CPU seconds of a process since its start, all its threads, to the nanosecond: `/proc/<pid>/stat` counts hundredths of
 * a second, in which a ping is lost. The first number of `schedstat` is what a thread has spent on a CPU (Linux,
 * Documentation/scheduler/sched-stats.rst).
 *
 * @throws Error when the process is gone or the kernel keeps no such count (CONFIG_SCHED_INFO)
 */
export function cpuOf(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  const spent = threads.map((thread) => {
    const [nanoseconds] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ");
    return Number(nanoseconds);
  });
  return spent.reduce((sum, nanoseconds) => sum + nanoseconds, 0) / 1e9;
}

/** What the processes use while `work` goes on. */
export async function cpuDuring(pids: readonly number[], work: () => Promise<unknown>): Promise<Use> {
  const before = pids.map(cpuOf);
  const began = performance.now();
  await work();
  const seconds = (performance.now() - began) / 1000;
  return { cpu: pids.map((pid, at) => cpuOf(pid) - (before[at] ?? 0)), seconds };
}

/** What `count` events have cost each process: the use less that of the same time without them. */
export function costOfEach(use: Use, idle: Use, count: number): readonly number[] {
  return use.cpu.map((cpu, at) => (cpu - ((idle.cpu[at] ?? 0) / idle.seconds) * use.seconds) / count);
}
