import type { OverBound } from "../pidbox/message.ts";

/** What the options about queues and tasks wanted to know. */
export interface WorkEvidence {
  /** Messages that wait in each queue, all priorities; null where the broker did not say. */
  readonly lengths: ReadonlyMap<string, number | null>;
  readonly nodes: readonly NodeWork[];
  /** Queues with a limit that nobody seems to have: nothing waits in them, declares them or consumes them. */
  readonly ownerless: readonly string[];
}

/** What one node says of its work. */
export interface NodeWork {
  readonly node: string;
  /** The queues that it has to consume. */
  readonly queues: readonly string[];
  /** The queues that it says it consumes; null: it was not asked, or did not say. */
  readonly consumed: readonly string[] | null;
  /** Its answer to that was more than is read. */
  readonly consumedOverBound?: OverBound | null;
  readonly tasks: Tasks;
  /** What may keep it from fetching; null: not asked, as it fetches or nothing waits. */
  readonly held: Held | null;
}

/** What a worker may hold back for its time or its rate. */
export type Held =
  /** kombu keeps the deliveries under names that the worker masks, or they may not be read. */
  | { readonly kind: "unknown" }
  | {
      readonly kind: "told";
      /** Of the database, delivered to any worker and not acknowledged. */
      readonly deliveries: number;
      /** How many of them this worker may hold back. */
      readonly mayBeHeld: number;
      /** How many tasks it has begun since it was started, where no heartbeat says it; null: not asked, or not said. */
      readonly begun: number | null;
    };

/** The running tasks. */
export type Tasks =
  | { readonly kind: "not-asked" }
  /** Asking could harm it: its Celery is older than 5.2, or its heartbeats, which tell the version, are not heard. */
  | { readonly kind: "risky"; readonly version: string | null }
  | { readonly kind: "no-answer" }
  | ({ readonly kind: "over-bound" } & OverBound)
  | { readonly kind: "told"; readonly count: number; readonly oldest: RunningTask | null };

export interface RunningTask {
  readonly name: string;
  readonly id: string;
  /** Seconds since it was started, by the worker's clock and ours. */
  readonly ageS: number;
}
