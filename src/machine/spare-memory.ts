import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** What is new in memory gets no more room than at the start, and what is old a tenth more than it has. */
const HEAP = [
  "--optimize-for-size",
  "--semi-space-growth-factor=1",
  "--heap-growing-percent=10",
  "--expose-gc",
];

/**
 * Sparkplug is compiler enough. Turbofan and Maglev bring 8 MB of the executable and 6 MB of their own into memory. With
 * 1,000 workers they save `serve` a fifth of its 4 % of a core; a command that asks once ends no sooner with them.
 */
const COMPILERS = ["--no-opt", "--no-maglev"];

/**
 * Without it the heap grows to three times what is kept before V8 collects. It is not set when the process starts: V8
 * would reject the code cache (build/runtime.ts).
 */
export function spareMemory(): () => void {
  const { Bun } = globalThis as { readonly Bun?: { readonly gc: (isSync: boolean) => void } };
  if (Bun !== undefined)
    return () => {
      Bun.gc(true);
    };
  for (const flag of [...HEAP, ...COMPILERS]) setFlagsFromString(flag);
  return runInNewContext("gc") as () => void;
}
