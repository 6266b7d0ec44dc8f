import type { BrokerFailure } from "../../broker/failure.ts";
import type { NoResults } from "../../celery/result-backend.ts";
import type { KeptResults } from "../../session/kept-results.ts";

/** How many results are failures, where the results are (masked), and what named that place. */
export interface ResultFacts {
  readonly "failed-results": Readonly<{ url: string; from: string }> & (Counted | NotCounted);
}

type NotCounted =
  | Readonly<{ kind: NoResults["kind"] | "refused"; detail: string }>
  /** `isBrokers`: no result backend is named, so the broker was read. The broker has its own findings. */
  | Readonly<{ kind: "unusable"; failure: BrokerFailure; isBrokers: boolean }>;

interface Counted extends KeptResults {
  readonly kind: "counted";
  /**
   * Tasks that the workers have begun. With task_ignore_result only failures are stored, so results alone show no
   * share.
   */
  readonly begun: number;
  /** `--max-failed`. `isUsual`: it is the default, and then the share of failures counts too. */
  readonly limit: number;
  readonly isUsual: boolean;
}
