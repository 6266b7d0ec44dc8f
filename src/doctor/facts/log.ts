import type { Unread } from "../../machine/parts.ts";
import type { KnownLines } from "../../celery/line-kinds.ts";

/** Which part of a log it is about; `since-start`: what is before that, `before-start`, is a finding of its own. */
export type LogPart = "whole" | "end" | "since-start" | "before-start";

/** What is found in the log of a worker. The last lines are without secrets. */
export interface LogFacts {
  readonly log:
    | { readonly kind: "clean"; readonly lines: number; readonly part: LogPart }
    | {
        readonly kind: "known";
        readonly its: KnownLines;
        readonly part: LogPart;
        /** Tasks that it tells of, or else that the workers say they have begun; 0: nobody says. */
        readonly tasks: number;
        /** Nodes that know the task that came last and was not known. */
        readonly knowing: readonly string[];
      }
    /** Nobody has given one, and no worker writes one that is in sight. */
    | { readonly kind: "none" }
    /** Of runs that are over: before the worker's last start. */
    | { readonly kind: "earlier"; readonly its: readonly KnownLines[] }
    /** `isAsked`: by `--log`; else it is that of a worker's -f. */
    | { readonly kind: "unreadable"; readonly because: Unread; readonly isAsked: boolean };
  /** `-P gevent` or `eventlet`, and the package is not there. */
  readonly "pool-package": { readonly pool: "gevent" | "eventlet" };
}
