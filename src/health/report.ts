import type { Evidence } from "./evidence.ts";
import type { CheckPlan } from "./plan.ts";
import type { Verdict } from "./verdict.ts";

/** All that a run of `check` has to tell; what is printed of it is the renderers' matter. */
export interface CheckReport {
  readonly plan: CheckPlan;
  readonly evidence: Evidence;
  readonly verdict: Verdict;
  /** Whether it counts as healthy although it is unknown. */
  readonly isForgiven: boolean;
  /** Milliseconds from the start of the process to the verdict. */
  readonly elapsedMs: number;
  /** Variables of the environment that begin like ours and are no option. */
  readonly unknownVariables: readonly string[];
}
