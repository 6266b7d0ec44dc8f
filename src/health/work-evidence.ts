import type { OverBound } from "../pidbox/message.ts";

/** What the options about queues and tasks need to know. */
export interface WorkEvidence {
  /** Messages that wait in each queue, in all priorities; null: the broker did not say. */
  readonly lengths: ReadonlyMap<string, number | null>;
  readonly nodes: readonly NodeWork[];
  /**
   * Queues with a limit that nobody seems to use. No message waits in them, and no worker declares or consumes them.
   */
  readonly ownerless: readonly string[];
}

/** What one node says about its work. */
export interface NodeWork {
  readonly node: string;
  /** The queues that it has to consume. */
  readonly queues: readonly string[];
  /** The queues that the node says it consumes; null: it was not asked, or did not say. */
  readonly consumed: readonly string[] | null;
  /** The node's answer about its queues was over a limit and was not read. */
  readonly consumedOverBound?: OverBound | null;
  readonly tasks: Tasks;
  /** What may keep it from fetching; null: not asked, because it fetches or no message waits. */
  readonly held: Held | null;
}

/** What a worker may hold back because of its time or its rate limit. */
export type Held =
  /** The worker masks the names under which kombu keeps the deliveries, or we may not read them. */
  | { readonly kind: "unknown" }
  | {
      readonly kind: "told";
      /** Deliveries of the database, to any worker, that are not acknowledged. */
      readonly deliveries: number;
      /** How many of these deliveries this worker may hold back. */
      readonly mayBeHeld: number;
      /** How many tasks it has begun since it started, if no heartbeat says it; null: not asked, or it did not say. */
      readonly begun: number | null;
    };

/** The running tasks. */
export type Tasks =
  | { readonly kind: "not-asked" }
  /**
   * Asking could harm the worker. Its Celery is older than 5.2, or the version is unknown because no heartbeat was
   * heard.
   */
  | { readonly kind: "risky"; readonly version: string | null }
  | { readonly kind: "no-answer" }
  | ({ readonly kind: "over-bound" } & OverBound)
  | { readonly kind: "told"; readonly count: number; readonly oldest: RunningTask | null };

export interface RunningTask {
  readonly name: string;
  readonly id: string;
  /** Seconds since the task was started, by the worker's clock and ours. */
  readonly ageS: number;
}
