import type { BrokerFailure } from "../../broker/failure.ts";

/** What is found of the results. */
export interface ResultFacts {
  /** How many of them are failures. */
  readonly "failed-results":
    | FailedResults
    | { readonly kind: "none-kept"; readonly from: string }
    /** A backend that is no Redis: its scheme. */
    | { readonly kind: "other"; readonly scheme: string; readonly from: string }
    | { readonly kind: "hidden"; readonly url: string; readonly from: string }
    /** The URL cannot be read: what is wrong with it. */
    | { readonly kind: "no-url"; readonly url: string; readonly from: string; readonly problem: string }
    | {
        readonly kind: "unusable";
        readonly url: string;
        readonly from: string;
        readonly failure: BrokerFailure;
        /** The broker is meant, as nobody names another: it has findings of its own. */
        readonly isBrokers: boolean;
      }
    | { readonly kind: "refused"; readonly url: string; readonly from: string; readonly refusal: string };
}

export interface FailedResults {
  readonly kind: "counted";
  /** Masked. */
  readonly url: string;
  readonly from: string;
  /** Results read, and those of them that are no JSON. */
  readonly results: number;
  readonly unread: number;
  readonly failed: number;
  /** `--max-failed`. */
  readonly limit: number;
  /** Keys passed by, of about so many; null: all of them. */
  readonly sample: { readonly passed: number; readonly keys: number } | null;
  /** Of the failures looked into: the most frequent exceptions and, where results tell them, tasks; and the newest. */
  readonly exceptions: readonly Counted[];
  readonly tasks: readonly Counted[];
  readonly newest: { readonly exception: string | null; readonly ageS: number } | null;
}

export interface Counted {
  readonly name: string;
  readonly count: number;
}
