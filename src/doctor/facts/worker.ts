import type { CheckReport } from "../../health/report.ts";

/** What is found of the workers in sight, and of those that answer. */
export interface WorkerFacts {
  /** The verdict of the health check. */
  readonly worker: {
    readonly check: CheckReport;
    /** Its pool, where that blocks: with prefork, or threads, a worker answers during long tasks. */
    readonly blockingPool: string | null;
  };
}
