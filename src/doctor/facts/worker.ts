import type { CheckReport } from "../../health/report.ts";
import type { TooLarge } from "../../session/ask-once.ts";

/** What is found about the workers in sight, and about the ones that answer. */
export interface WorkerFacts {
  /** The verdict of the health check. */
  readonly worker: {
    readonly check: CheckReport;
    /** Its pool, where that blocks: with prefork, or threads, a worker answers during long tasks. */
    readonly blockingPool: string | null;
  };
  /** Workers of the broker that the health check is not about. */
  readonly siblings:
    /** Further answers to one ping in the name of a node. */
    | { readonly kind: "shared"; readonly more: number }
    | {
        readonly kind: "others";
        readonly answering: readonly string[];
        /** How many more are subscribed and did not answer, without the health check's own workers. */
        readonly silent: number;
      };
  /** An answer that is over a bound, and not read. */
  readonly "large-answer": TooLarge;
}
