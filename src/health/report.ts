import type { Evidence } from "./evidence.ts";
import type { CheckPlan } from "./plan.ts";
import type { Verdict } from "./verdict.ts";

/** Everything that a run of `check` found out. The renderers decide what is printed. */
export interface CheckReport {
  readonly plan: CheckPlan;
  readonly evidence: Evidence;
  readonly verdict: Verdict;
  /** Whether the verdict counts as healthy although it is unknown. */
  readonly isForgiven: boolean;
  /** Milliseconds from the start of the probe's process to the verdict. */
  readonly elapsedMs: number;
  /** Environment variables that begin like ours but are not options. */
  readonly unknownVariables: readonly string[];
}
