import type { BrokerFailure } from "../../broker/failure.ts";
import type { NoResults } from "../../celery/result-backend.ts";

/** How many results are failures, where results are (masked), and who says so. */
export interface ResultFacts {
  readonly "failed-results": Readonly<{ url: string; from: string }> & (Counted | NotCounted);
}

export type NotCounted =
  | Readonly<{ kind: NoResults["kind"] | "refused"; detail: string }>
  /** `isBrokers`: the broker is meant, as nobody names another; it has findings of its own. */
  | Readonly<{ kind: "unusable"; failure: BrokerFailure; isBrokers: boolean }>;

export interface Counted {
  readonly kind: "counted";
  /** Results read, those of them that are no JSON, and those that are failures. */
  readonly results: number;
  readonly unread: number;
  readonly failed: number;
  /** Tasks that the workers say they have begun: with task_ignore_result only failures are kept. */
  readonly begun: number;
  /** `--max-failed`, and whether nobody has given it: then their share counts too. */
  readonly limit: number;
  readonly isUsual: boolean;
  /** Keys passed by, of about so many; null: all of them. */
  readonly sample: Readonly<{ passed: number; keys: number }> | null;
  /** Of the failures looked into: the most frequent exceptions and tasks, and how long ago the newest was. */
  readonly exceptions: readonly Frequent[];
  readonly tasks: readonly Frequent[];
  readonly newestS: number | null;
}

export type Frequent = readonly [name: string, count: number];
