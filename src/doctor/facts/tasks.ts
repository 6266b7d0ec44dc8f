import type { NamedTask } from "../../celery/deliveries.ts";
import type { TransportOptions } from "../../celery/transport-options.ts";
import type { AgedTask } from "../../celery/tasks.ts";

/** What is found about running tasks, and about waiting ones. */
export interface TaskFacts {
  /** What a node has in hand. */
  readonly tasks:
    | { readonly kind: "told"; readonly count: number; readonly oldest: AgedTask | null }
    /** Further nodes. */
    | { readonly kind: "more"; readonly nodes: number; readonly count: number }
    | { readonly kind: "nobody" }
    | { readonly kind: "not-asked"; readonly nodes: readonly UnaskedNode[] };
  /** Whether a task takes longer than it may. */
  readonly "task-age":
    /** `unjudged`: tasks whose limits are not known; `silent`: nodes that did not say. */
    | { readonly kind: "fine"; readonly unjudged: number; readonly silent: number }
    | { readonly kind: "nobody-says" }
    | {
        readonly kind: "running";
        readonly task: AgedTask;
        /** The hard limit, 0: none; null: not known. */
        readonly hardS: number | null;
        /** Whether it is the task's own, or else its worker's. */
        readonly isOwn: boolean;
        /** `--max-task-age`; null: not given. */
        readonly mostS: number | null;
        /** The pool, where it does not enforce limits. */
        readonly lax: string | null;
      };
  /** Whether the workers know the task that comes next. */
  readonly "unregistered-task":
    | { readonly kind: "known"; readonly looked: number; readonly unread: number }
    | { readonly kind: "not-seen"; readonly because: string }
    /** An entry of `beat_schedule` names it, and no worker that answers knows it. */
    | { readonly kind: "scheduled"; readonly entry: string; readonly task: string; readonly silent: number }
    | {
        readonly kind: "unknown";
        readonly task: string;
        /** Nodes that consume the queue, and know the task or do not. */
        readonly knowing: readonly string[];
        readonly ignorant: readonly string[];
        /** Nodes that consume the queue and did not say, and workers that said nothing at all. */
        readonly silent: number;
      };
  /** Messages in lists of a queue that no worker reads which consumes it. */
  readonly "priority-lists": {
    /** What is behind the queue's name in the list's. */
    readonly lists: readonly { readonly end: string; readonly length: number }[];
    /** The options of the consumers. */
    readonly read: readonly Pick<TransportOptions, "separator" | "prioritySteps">[];
    /** Workers that did not say what they consume. */
    readonly silent: number;
  };
  /** The same task several times. */
  readonly "repeated-tasks":
    /** It runs on these nodes at once; how many tasks do. */
    | {
        readonly kind: "twice";
        readonly task: AgedTask;
        readonly nodes: readonly string[];
        readonly tasks: number;
        readonly visibilityS: number;
      }
    /** Put back and delivered again between two looks. */
    | { readonly kind: "again"; readonly task: NamedTask; readonly tasks: number }
    /** Of those looked at, the one that was retried most, and how many come near it. */
    | {
        readonly kind: "retried";
        readonly task: NamedTask;
        readonly tasks: number;
        readonly retries: number;
      };
  /** Deliveries that full workers keep, while others that consume the same queues have free slots. */
  readonly prefetch: {
    readonly held: number;
    /** Of the full workers. */
    readonly slots: number;
    readonly full: readonly string[];
    readonly idle: readonly string[];
  };
  /** What is delivered and not acknowledged: tasks with an ETA among them. */
  readonly "late-tasks": { readonly kind: "not-seen"; readonly because: string } | UnackedFacts;
}

export interface UnackedFacts {
  readonly kind: "seen";
  /** Delivered and not acknowledged, and how many of them were read. */
  readonly unacked: number;
  readonly looked: number;
  readonly withEta: number;
  /** Their time has come and they do not run. */
  readonly late: number;
  readonly latest: NamedTask | null;
  readonly latestS: number;
  /** Their time comes after they are delivered again. */
  readonly beyond: number;
  readonly farthest: NamedTask | null;
  readonly farthestS: number;
  /** Delivered before more than the visibility timeout. */
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
  /** Celery's; null: it is not known, and nobody is asked whose version is not known. */
  readonly version: string | null;
  /** It was not asked because that can harm it; else it did not answer. */
  readonly isOlder: boolean;
}
