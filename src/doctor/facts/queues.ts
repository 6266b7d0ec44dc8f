import type { AgedTask } from "../../celery/tasks.ts";
import type { BindingSearch, Bound } from "../../session/declared-queues.ts";
import type { OtherPlace } from "../../session/other-places.ts";

/** What was found out about the queues. */
export interface QueueFacts {
  /** The number of messages that wait in a queue. */
  readonly "queue-length":
    | {
        readonly kind: "told";
        /** The sum over all priorities. */
        readonly length: number;
        /** `--max-queue-length`. */
        readonly limit: number;
        /** Whether a worker that answers consumes the queue, or an application has declared it in this database. */
        readonly isUsed: boolean;
        /** Messages per second. Null: the queue was not measured twice. */
        readonly growth: number | null;
      }
    /** Further queues, all within their limits. */
    | { readonly kind: "more"; readonly queues: number; readonly messages: number; readonly isUsed: boolean }
    /** The queue's key holds something other than a list. */
    | { readonly kind: "no-list" }
    | { readonly kind: "untold"; readonly queues: readonly string[]; readonly because: string };
  /** Whether every queue with messages is consumed, and every worker consumes a queue. */
  readonly "queues-consumed":
    | {
        readonly kind: "all";
        readonly queues: number;
        /** Null: `--node` names one worker, so other workers' queues were not searched for. */
        readonly search: BindingSearch | null;
        /** The number of other queues whose length is not known. */
        readonly unmeasured: number;
      }
    | {
        readonly kind: "unconsumed";
        readonly length: number;
        /** A consumed queue with a similar name. */
        readonly similar: string | null;
        /** The nodes that consume other queues. */
        readonly nodes: readonly string[];
        /** Workers that exist and did not say what they consume. */
        readonly silent: number;
      }
    /** The node answers and consumes no queue. */
    | { readonly kind: "idle"; readonly waiting: readonly string[] }
    | { readonly kind: "nobody-says" };
  /** A queue that workers consume, but none of its tasks was begun during the observation. */
  readonly standstill: {
    readonly length: number;
    readonly nodes: readonly string[];
    /** Tasks that the workers may run at once, and how many of these slots are free. */
    readonly slots: number;
    readonly free: number;
    /** For how long no task was begun, in seconds. */
    readonly overS: number;
    /** The task that was begun last. Null: some worker did not say what it runs. */
    readonly youngest: AgedTask | null;
    /** Deliveries that may wait for a rate limit, and how many of their tasks may begin in an hour. Null: not known. */
    readonly rated: {
      readonly deliveries: number;
      readonly tasks: readonly string[];
      readonly perHour: number;
    } | null;
    /** The tasks that hold all slots, where each waits for a result of one of these behind it; null: not seen. */
    readonly behind: { readonly tasks: readonly string[]; readonly subtasks: readonly string[] } | null;
  };
  /** The queue's binding to its exchange is missing. */
  readonly "queue-binding": Bound;
  /** Messages for these queues in another database, or under another prefix, where no worker listens. */
  readonly elsewhere: OtherPlace & { readonly own: Pick<OtherPlace, "db" | "prefix"> };
  /** Whether the workers keep up. In messages and tasks per second. */
  readonly throughput:
    | {
        readonly kind: "measured";
        readonly arrived: number;
        readonly finished: number;
        readonly growth: number;
        readonly length: number;
        readonly lengthBefore: number;
        /** Running tasks, the larger number of two heartbeats, and slots. Null: the pools did not say. */
        readonly busy: { readonly active: number; readonly slots: number } | null;
        readonly overS: number;
      }
    /** `missing` consuming nodes were not heard twice, out of `nodes`. */
    | { readonly kind: "unheard"; readonly missing: number; readonly nodes: number }
    | { readonly kind: "unmeasured"; readonly queues: number };
}
