import type { BeatEvidence, BeatVerdict } from "../../beat/beat-verdict.ts";

/** What was found out about the beats of this container. */
export interface BeatFacts {
  readonly "beat-processes": { readonly evidence: BeatEvidence; readonly verdict: BeatVerdict };
  readonly "beat-schedule-file": { readonly evidence: BeatEvidence; readonly verdict: BeatVerdict };
  /** The number of entries in `beat_schedule`. Null: the scheduler keeps its entries elsewhere. */
  readonly "beat-schedule": { readonly entries: number | null; readonly scheduler: string | null };
}
