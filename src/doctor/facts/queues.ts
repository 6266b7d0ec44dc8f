import type { AgedTask } from "../../celery/tasks.ts";
import type { BindingSearch, Bound } from "../../session/declared-queues.ts";

import type { OtherPlace } from "../../session/other-places.ts";

/** What is found of the queues. */
export interface QueueFacts {
  /** How many messages wait in a queue. */
  readonly "queue-length":
    | {
        readonly kind: "told";
        /** Of all priorities. */
        readonly length: number;
        /** `--max-queue-length`. */
        readonly limit: number;
        /** Whether a worker that answers consumes it, or somebody has declared it here. */
        readonly isUsed: boolean;
        /** By how many messages a second it grows; null: there were no two looks. */
        readonly growth: number | null;
      }
    /** Further queues, each within its limit. */
    | { readonly kind: "more"; readonly queues: number; readonly messages: number; readonly isUsed: boolean }
    /** Its key holds something else than a list. */
    | { readonly kind: "no-list" }
    | { readonly kind: "untold"; readonly queues: readonly string[]; readonly because: string };
  /** Whether every queue with work is consumed, and every worker consumes. */
  readonly "queues-consumed":
    | {
        readonly kind: "all";
        readonly queues: number;
        /** Null: others' queues are not looked for, as `--node` means one worker. */
        readonly search: BindingSearch | null;
        /** Other queues whose length is not known. */
        readonly unmeasured: number;
      }
    | {
        readonly kind: "unconsumed";
        readonly length: number;
        /** A queue that is consumed and is nearly called like it. */
        readonly similar: string | null;
        /** The nodes that consume other queues. */
        readonly nodes: readonly string[];
        /** Workers that are there and did not say what they consume. */
        readonly silent: number;
      }
    /** The node answers and consumes no queue. */
    | { readonly kind: "idle"; readonly waiting: readonly string[] }
    | { readonly kind: "nobody-says" };
  /** A queue that its workers consume, and of which none has begun a task while it was looked at. */
  readonly standstill: {
    readonly length: number;
    readonly nodes: readonly string[];
    /** Tasks that they may run at once, and how many more than they do. */
    readonly slots: number;
    readonly free: number;
    /** For how long nothing was begun, in seconds. */
    readonly overS: number;
    /** The task that was begun last; null: not every worker said what it runs. */
    readonly youngest: AgedTask | null;
    /** Deliveries that may wait for their rate, and how many of their tasks may begin in an hour; null: not known. */
    readonly rated: {
      readonly deliveries: number;
      readonly tasks: readonly string[];
      readonly perHour: number;
    } | null;
  };
  /** The binding by which its exchange finds the queue is gone. */
  readonly "queue-binding": Bound;
  /** Messages of these queues where these workers do not read, and no other has its mailbox. */
  readonly elsewhere: OtherPlace & { readonly own: Pick<OtherPlace, "db" | "prefix"> };
  /** Whether the workers keep up; messages and tasks a second. */
  readonly throughput:
    | {
        readonly kind: "measured";
        readonly arrived: number;
        readonly finished: number;
        readonly growth: number;
        readonly length: number;
        readonly lengthBefore: number;
        /** Tasks that run, the most of two heartbeats, of how many at once; null: the pools did not say. */
        readonly busy: { readonly active: number; readonly slots: number } | null;
        readonly overS: number;
      }
    /** Nodes that consume and were not heard twice, of so many. */
    | { readonly kind: "unheard"; readonly missing: number; readonly nodes: number }
    | { readonly kind: "unmeasured"; readonly queues: number };
}
