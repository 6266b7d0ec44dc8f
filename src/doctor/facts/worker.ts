import type { CheckReport } from "../../health/report.ts";
import type { TooLarge } from "../../session/ask-once.ts";

/** What was found out about the workers in sight and the workers that answer. */
export interface WorkerFacts {
  /** The verdict of the health check. */
  readonly worker: {
    readonly check: CheckReport;
    /** The pool, if a running task can block its answers: solo, gevent, eventlet. */
    readonly blockingPool: string | null;
  };
  /** The broker's workers that the health check is not about. */
  readonly siblings:
    /** Several workers share the node's name: `more` further answers to one ping. */
    | { readonly kind: "shared"; readonly more: number }
    | {
        readonly kind: "others";
        readonly answering: readonly string[];
        /** Workers that are subscribed and did not answer, without the health check's own. */
        readonly silent: number;
      };
  /** An answer that was too large, so it was not read. */
  readonly "large-answer": TooLarge;
}
