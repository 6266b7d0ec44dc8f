import type { Interpreter } from "../../worker/in-sight.ts";
import type { CpuShares } from "../../worker/usage.ts";
import type { Wait } from "../../worker/wait.ts";
import type { WrittenFiles } from "../../worker/written-files.ts";

/** What was found out about the process of a worker in sight. */
export interface ProcessFacts {
  /** In bytes. Null: not known. */
  readonly memory: {
    readonly main: number | null;
    readonly children: number;
    readonly largestChild: number;
    /** The number of children. */
    readonly count: number;
    /** The container's memory limit. Null: it is unlimited. */
    readonly limit: number | null;
    readonly used: number | null;
    /** The machine's available memory. */
    readonly available: number | null;
    /** Whether an option or a setting makes the pool replace its children. */
    readonly isRecycled: boolean;
  };
  readonly "oom-kills": { readonly count: number };
  readonly restarts: {
    readonly upS: number;
    /** The age of the container's first process. Null: the worker is that process, or this is no container. */
    readonly containerUpS: number | null;
  };
  readonly cpu: CpuShares & { readonly isPrefork: boolean };
  /** Some of the worker's processes did not wake up between two looks. `wait` is what they wait for. */
  readonly stuck: {
    readonly wait: Wait;
    readonly isMain: boolean;
    /** The number of children that wait. */
    readonly children: number;
    readonly overMs: number;
  };
  readonly interpreter: Interpreter;
  readonly "file-permissions": WrittenFiles;
}
