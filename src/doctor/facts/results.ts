import type { BrokerFailure } from "../../broker/failure.ts";
import type { NoResults } from "../../celery/result-backend.ts";

/** What is found of the results. */
export interface ResultFacts {
  /** How many of them are failures. */
  readonly "failed-results": Where & (Counted | NotCounted);
}

/** Where results are, masked, and who says so. */
interface Where {
  readonly url: string;
  readonly from: string;
}

export type NotCounted =
  | { readonly kind: NoResults["kind"] | "refused"; readonly detail: string }
  /** `isBrokers`: the broker is meant, as nobody names another; it has findings of its own. */
  | { readonly kind: "unusable"; readonly failure: BrokerFailure; readonly isBrokers: boolean };

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
  readonly sample: { readonly passed: number; readonly keys: number } | null;
  /** Of the failures looked into: the most frequent exceptions and, where results tell them, tasks. */
  readonly exceptions: readonly Frequent[];
  readonly tasks: readonly Frequent[];
  /** How long ago the newest of them was; null: none says. */
  readonly newestS: number | null;
}

export type Frequent = readonly [name: string, count: number];
