import { readFileSync } from "node:fs";

/**
 * Starts to measure. Returns a function for the milliseconds since then, without the time in which a program of this
 * machine waited for a processor. Time limits are about the product, not about other programs.
 */
export function startStopwatch(): () => number {
  const began = performance.now();
  const starved = starvedMs();
  return () => Math.max(0, performance.now() - began - (starvedMs() - starved));
}

/** Since the machine's start (PSI, Documentation/accounting/psi.rst); 0 if the kernel does not count it. */
function starvedMs(): number {
  try {
    return (
      Number(/^some .*total=(\d+)$/m.exec(readFileSync("/proc/pressure/cpu", "latin1"))?.[1] ?? 0) / 1_000
    );
  } catch {
    return 0;
  }
}
