import type { NamedTask } from "../../celery/deliveries.ts";
import type { TransportOptions } from "../../celery/transport-options.ts";
import type { AgedTask } from "../../celery/tasks.ts";

/** What was found out about running and waiting tasks. */
export interface TaskFacts {
  /** The running tasks of a node. */
  readonly tasks:
    | { readonly kind: "told"; readonly count: number; readonly oldest: AgedTask | null }
    /** Further nodes. */
    | { readonly kind: "more"; readonly nodes: number; readonly count: number }
    | { readonly kind: "nobody" }
    | { readonly kind: "not-asked"; readonly nodes: readonly UnaskedNode[] };
  /** Whether a task runs longer than it may. */
  readonly "task-age":
    /** `unjudged`: tasks whose limits are not known; `silent`: nodes that did not say. */
    | { readonly kind: "fine"; readonly unjudged: number; readonly silent: number }
    | { readonly kind: "nobody-says" }
    | {
        readonly kind: "running";
        readonly task: AgedTask;
        /** The hard limit; 0: no limit. Null: not known. */
        readonly hardS: number | null;
        /** Whether it is the task's own limit; otherwise it is the worker's. */
        readonly isOwn: boolean;
        /** `--max-task-age`. Null: not given. */
        readonly mostS: number | null;
        /** The pool, if it does not enforce limits. Null: it does. */
        readonly lax: string | null;
      };
  /** Whether the workers know the next tasks. */
  readonly "unregistered-task":
    | { readonly kind: "known"; readonly looked: number; readonly unread: number }
    | { readonly kind: "not-seen"; readonly because: string }
    /** An entry of `beat_schedule` names a task that no answering worker knows. */
    | { readonly kind: "scheduled"; readonly entry: string; readonly task: string; readonly silent: number }
    | {
        readonly kind: "unknown";
        readonly task: string;
        /** Nodes that consume the queue. `knowing` know the task, `ignorant` do not. */
        readonly knowing: readonly string[];
        readonly ignorant: readonly string[];
        /** Nodes that consume the queue and did not say which tasks they know, and workers that said nothing at all. */
        readonly silent: number;
      };
  /** Messages in lists that none of the queue's consumers reads. */
  readonly "priority-lists": {
    /** `end` is the end of the list's key, after the queue's name. */
    readonly lists: readonly { readonly end: string; readonly length: number }[];
    /** The options of the consumers. */
    readonly read: readonly Pick<TransportOptions, "separator" | "prioritySteps">[];
    /** Workers that did not say what they consume. */
    readonly silent: number;
  };
  /** A task that runs or comes several times. */
  readonly "repeated-tasks":
    /** The task runs on these nodes at the same time. `tasks`: how many tasks do. */
    | {
        readonly kind: "twice";
        readonly task: AgedTask;
        readonly nodes: readonly string[];
        readonly tasks: number;
        readonly visibilityS: number;
      }
    /** The task was put back and delivered again between two looks. */
    | { readonly kind: "again"; readonly task: NamedTask; readonly tasks: number }
    /** The most retried of the tasks that were read. `tasks`: how many were retried often. */
    | {
        readonly kind: "retried";
        readonly task: NamedTask;
        readonly tasks: number;
        readonly retries: number;
      };
  /** Deliveries that full workers keep, although other consumers of the same queues have free slots. */
  readonly prefetch: {
    readonly held: number;
    /** The number of slots of the full workers. */
    readonly slots: number;
    readonly full: readonly string[];
    readonly idle: readonly string[];
  };
  /** Deliveries that are not acknowledged. Tasks with an ETA are among them. */
  readonly "late-tasks": { readonly kind: "not-seen"; readonly because: string } | UnackedFacts;
}

export interface UnackedFacts {
  readonly kind: "seen";
  /** The number of deliveries that are not acknowledged. `looked`: how many of them were read. */
  readonly unacked: number;
  readonly looked: number;
  readonly withEta: number;
  /** Tasks that are due and do not run. */
  readonly late: number;
  readonly latest: NamedTask | null;
  readonly latestS: number;
  /** Tasks that are due only after they are delivered again. */
  readonly beyond: number;
  readonly farthest: NamedTask | null;
  readonly farthestS: number;
  /** Deliveries older than the visibility timeout. */
  readonly overdue: number;
  readonly visibilityS: number;
  readonly isDefault: boolean;
  /** Whether a worker has told its options. */
  readonly isTold: boolean;
  /** Nodes that did not say which tasks they run. */
  readonly silent: number;
}

export interface UnaskedNode {
  readonly node: string;
  /** Celery's version. Null: not known, and then the node is not asked. */
  readonly version: string | null;
  /** True: the node was not asked, because asking can harm it. False: it did not answer. */
  readonly isOlder: boolean;
}
