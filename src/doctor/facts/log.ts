import type { Unread } from "../../machine/parts.ts";
import type { KnownLines } from "../../celery/line-kinds.ts";

/** The part of a log that a finding is about. `since-start` leaves out earlier runs; `before-start` is about these. */
export type LogPart = "whole" | "end" | "since-start" | "before-start";

/** What was found out about a worker's log. Secrets in the lines are masked. */
export interface LogFacts {
  readonly log:
    | { readonly kind: "clean"; readonly lines: number; readonly part: LogPart }
    | {
        readonly kind: "known";
        readonly its: KnownLines;
        readonly part: LogPart;
        /** Tasks in the log. If the log names none: tasks that the workers have begun. 0: not known. */
        readonly tasks: number;
        /** Nodes that know the task of the last "unregistered task" line. */
        readonly knowing: readonly string[];
      }
    /** No log was given, and no worker in sight writes a log file. */
    | { readonly kind: "none" }
    /** About runs before the worker's last start. */
    | { readonly kind: "earlier"; readonly its: readonly KnownLines[] }
    /** `isAsked`: named by `--log`; otherwise it is the file of a worker's `-f`. */
    | { readonly kind: "unreadable"; readonly because: Unread; readonly isAsked: boolean };
  /** The worker has `-P gevent` or `eventlet`, and that package is not installed. */
  readonly "pool-package": { readonly pool: "gevent" | "eventlet" };
}
