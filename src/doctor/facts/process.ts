import type { Interpreter } from "../../worker/in-sight.ts";
import type { CpuShares } from "../../worker/usage.ts";
import type { Wait } from "../../worker/wait.ts";
import type { WrittenFiles } from "../../worker/written-files.ts";

/** What is found of the process of a worker in sight. */
export interface ProcessFacts {
  /** Bytes; null: not known. */
  readonly memory: {
    readonly main: number | null;
    readonly children: number;
    readonly largestChild: number;
    /** How many children there are. */
    readonly count: number;
    /** Of the container; null without a limit. */
    readonly limit: number | null;
    readonly used: number | null;
    /** Of the machine. */
    readonly available: number | null;
    /** Whether children are replaced now and then. */
    readonly isRecycled: boolean;
  };
  readonly "oom-kills": { readonly count: number };
  readonly restarts: {
    readonly upS: number;
    /** Of the container's first process, where that is not the worker; null: it is, or this is no container. */
    readonly containerUpS: number | null;
  };
  readonly cpu: CpuShares & { readonly isPrefork: boolean };
  /** Of its processes some have not woken between two looks, for this. */
  readonly stuck: {
    readonly wait: Wait;
    readonly isMain: boolean;
    /** How many of its children. */
    readonly children: number;
    readonly overMs: number;
  };
  readonly interpreter: Interpreter;
  readonly "file-permissions": WrittenFiles;
}
