import type { Recycling } from "../../celery/pool.ts";

/** What was found out about a worker's settings. Times are in seconds; 0: no limit. */
export interface SettingsFacts {
  readonly pool: {
    readonly pool: string | null;
    readonly concurrency: number | null;
    /** Whether the worker's own answer says so; otherwise only its command line does. */
    readonly isTold: boolean;
    /** Null: the pool is not prefork. */
    readonly recycling: Recycling | null;
    /** The pool that the worker was told to use, if it runs another one. */
    readonly told: { readonly pool: string; readonly by: string } | null;
  };
  /** The worker's own settings have `task_always_eager`. Its clients usually have the same settings. */
  readonly "always-eager": { readonly by: "settings" };
  readonly "time-limits": {
    readonly soft: number;
    readonly hard: number;
    /** The source of the limits. */
    readonly from: string;
    readonly gapS: number;
    /** The limits that the pool does not enforce. */
    readonly unenforced: readonly ("soft" | "hard")[];
    readonly pool: string | null;
    /** Whether the worker's own answer says so. */
    readonly isTold: boolean;
    /** Variables and options with another limit than the one in effect. */
    readonly without: readonly string[];
  };
  readonly "container-timeouts": {
    readonly limit: number;
    readonly kind: "soft" | "hard";
    readonly gapS: number;
    readonly isTold: boolean;
    /** The number of variables that were compared. */
    readonly looked: number;
    readonly over: readonly (readonly [name: string, seconds: number])[];
    readonly near: readonly (readonly [name: string, seconds: number])[];
  };
}
