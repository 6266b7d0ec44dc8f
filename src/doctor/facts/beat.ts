import type { BeatEvidence, BeatVerdict } from "../../beat/beat-verdict.ts";

/** What is found of the beats of this container. */
export interface BeatFacts {
  readonly "beat-processes": { readonly evidence: BeatEvidence; readonly verdict: BeatVerdict };
  readonly "beat-schedule-file": { readonly evidence: BeatEvidence; readonly verdict: BeatVerdict };
  /** How many entries `beat_schedule` has; null: the scheduler has its entries elsewhere. */
  readonly "beat-schedule": { readonly entries: number | null; readonly scheduler: string | null };
}
