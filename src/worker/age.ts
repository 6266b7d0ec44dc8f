import type { ProcFiles } from "./proc-files.ts";
import { statOf } from "./process-status.ts";

/** How long a process has run, in milliseconds; 0 if no clock can be read. */
export function ageMs(proc: ProcFiles, startTicks: number): number {
  return Math.max(0, uptimeMs(proc) - startOf(proc, startTicks));
}

/**
 * The clock that /proc/N/stat uses for the starts of processes, in milliseconds. It is CLOCK_BOOTTIME in the time
 * namespace of the reader (time_namespaces(7)). It goes on while the machine is suspended, and nobody can set it.
 *
 * lxcfs replaces the machine's uptime in /proc/uptime by the container's uptime, but does not change the starts. So a
 * second source is our own start plus our own monotonic clock. Neither source is ever ahead of the true time, so the
 * later one is right. Our own clock does not count the time of a shell that ran in our process and replaced itself by
 * `exec`.
 */
export function uptimeMs(proc: ProcFiles): number {
  const text = proc.read("/proc/uptime");
  const seconds = text.ok ? Number(text.value.split(" ")[0]) : NaN;
  const self = statOf(proc, proc.self);
  const byOurs = self === null ? 0 : startOf(proc, self.startTicks) + proc.ownAgeMs();
  return Math.max(Number.isFinite(seconds) ? seconds * 1_000 : 0, byOurs);
}

function startOf({ ticksPerSecond }: ProcFiles, startTicks: number): number {
  return (startTicks * 1_000) / ticksPerSecond;
}

/**
 * How often the clock and the age of a process are read. The fastest of these reads counts. On a busy machine much time
 * may pass between the two, and the start would seem that much too early.
 */
const READS = 3;

/** When a process was started, in seconds since 1970; null: its age is unknown. */
export function startedS(
  { epochSeconds, proc }: { readonly epochSeconds: () => number; readonly proc: ProcFiles },
  { startTicks }: { readonly startTicks: number },
): number | null {
  const reads = Array.from({ length: READS }, () => {
    const nowS = epochSeconds();
    const ageS = ageMs(proc, startTicks) / 1_000;
    return { nowS, ageS, tookS: epochSeconds() - nowS };
  });
  const { nowS, ageS } = reads.reduce((best, read) => (read.tookS < best.tookS ? read : best));
  return ageS > 0 ? nowS - ageS : null;
}
