import type { OverBound } from "../pidbox/message.ts";

/** What the options about queues and tasks wanted to know. */
export interface WorkEvidence {
  /** Messages that wait in each queue, all priorities; null where the broker did not say. */
  readonly lengths: ReadonlyMap<string, number | null>;
  readonly nodes: readonly NodeWork[];
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
}

/** The tasks in hand. */
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
