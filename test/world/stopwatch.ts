import { readFileSync } from "node:fs";

/**
 * Begins to measure, and gives the milliseconds since then without those in which something on this machine waited for a
 * processor: limits of time are about what the product does, and not about who else runs.
 */
export function startStopwatch(): () => number {
  const began = performance.now();
  const starved = starvedMs();
  return () => Math.max(0, performance.now() - began - (starvedMs() - starved));
}

/** Since the machine's start (PSI, Documentation/accounting/psi.rst); none where the kernel does not count it. */
function starvedMs(): number {
  try {
    return (
      Number(/^some .*total=(\d+)$/m.exec(readFileSync("/proc/pressure/cpu", "latin1"))?.[1] ?? 0) / 1_000
    );
  } catch {
    return 0;
  }
}
