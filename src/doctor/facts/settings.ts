import type { Recycling } from "../../celery/pool.ts";

/** What is found of the settings of a worker. Seconds; 0: none. */
export interface SettingsFacts {
  readonly pool: {
    readonly pool: string | null;
    readonly concurrency: number | null;
    /** Whether the worker itself says so, and not its command line alone. */
    readonly isTold: boolean;
    /** Null: another pool than prefork. */
    readonly recycling: Recycling | null;
    /** What it was told and does not do; null: nothing. */
    readonly told: { readonly pool: string; readonly by: string } | null;
  };
  /** `task_always_eager` of the worker's own settings, which its clients have as a rule. */
  readonly "always-eager": { readonly by: "settings" };
  readonly "time-limits": {
    readonly soft: number;
    readonly hard: number;
    /** The source that says so. */
    readonly from: string;
    readonly gapS: number;
    /** Which of the two the pool does not enforce. */
    readonly unenforced: readonly ("soft" | "hard")[];
    readonly pool: string | null;
    /** Whether the worker itself tells its limits. */
    readonly isTold: boolean;
    /** Variables and options that name another limit than the one that counts. */
    readonly without: readonly string[];
  };
  readonly "container-timeouts": {
    readonly limit: number;
    readonly kind: "soft" | "hard";
    readonly gapS: number;
    readonly isTold: boolean;
    /** How many were looked at. */
    readonly looked: number;
    readonly over: readonly (readonly [name: string, seconds: number])[];
    readonly near: readonly (readonly [name: string, seconds: number])[];
  };
}
