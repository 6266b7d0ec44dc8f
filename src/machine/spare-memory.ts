import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/**
 * The space for new objects does not grow after the start. The space for old objects may grow by a tenth of its
 * content.
 */
const HEAP = [
  "--optimize-for-size",
  "--semi-space-growth-factor=1",
  "--heap-growing-percent=10",
  "--expose-gc",
];

/**
 * Sparkplug is the only compiler that we need. Turbofan and Maglev bring 8 MB of the executable and 6 MB of their own
 * into memory. With 1,000 workers they reduce the load of `serve` by a fifth of its 4 % of a core. A command that asks
 * once does not end sooner with them.
 */
const COMPILERS = ["--no-opt", "--no-maglev"];

/**
 * Without this, the heap grows to three times its content before V8 collects garbage. It is not set when the process
 * starts, because V8 would then reject the code cache (build/runtime.ts).
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
