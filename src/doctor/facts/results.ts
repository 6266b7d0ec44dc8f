import type { BrokerFailure } from "../../broker/failure.ts";
import type { NoResults } from "../../celery/result-backend.ts";
import type { KeptResults } from "../../session/kept-results.ts";

/** How many results are failures, where results are (masked), and who says so. */
export interface ResultFacts {
  readonly "failed-results": Readonly<{ url: string; from: string }> & (Counted | NotCounted);
}

type NotCounted =
  | Readonly<{ kind: NoResults["kind"] | "refused"; detail: string }>
  /** `isBrokers`: it is the broker, because nothing names another one. The broker has its own findings. */
  | Readonly<{ kind: "unusable"; failure: BrokerFailure; isBrokers: boolean }>;

interface Counted extends KeptResults {
  readonly kind: "counted";
  /** Tasks that the workers say they have begun: with task_ignore_result only failures are kept. */
  readonly begun: number;
  /** `--max-failed`, and whether nobody has given it: then their share counts too. */
  readonly limit: number;
  readonly isUsual: boolean;
}
