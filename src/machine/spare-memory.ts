import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** What is new in memory gets no more room than at the start, and what is old a tenth more than it has. */
const SPARING = [
  "--optimize-for-size",
  "--semi-space-growth-factor=1",
  "--heap-growing-percent=10",
  "--expose-gc",
];

/**
 * Else what is kept takes three times its size, for want of a collection. Not when the process starts: V8 would reject
 * the code cache (build/runtime.ts).
 */
export function spareMemory(): () => void {
  const { Bun } = globalThis as { readonly Bun?: { readonly gc: (isSync: boolean) => void } };
  if (Bun !== undefined)
    return () => {
      Bun.gc(true);
    };
  for (const flag of SPARING) setFlagsFromString(flag);
  return runInNewContext("gc") as () => void;
}
