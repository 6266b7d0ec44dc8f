import type { KnownLines } from "../known-lines.ts";

/** What is found in the log of a worker. */
export interface LogFacts {
  readonly log:
    | { readonly kind: "clean"; readonly lines: number; readonly isWhole: boolean }
    /** The last line without secrets. */
    | { readonly kind: "known"; readonly its: KnownLines; readonly isWhole: boolean }
    | { readonly kind: "unreadable"; readonly because: "gone" | "forbidden" | "folder" };
  /** `-P gevent` or `eventlet`, and the package is not there. */
  readonly "pool-package": { readonly pool: "gevent" | "eventlet" };
}
