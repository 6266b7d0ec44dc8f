import type { Fault, Level } from "../../doctor/finding.ts";

/** A finding in words: what was seen, and the next step; null if no step is needed. */
export interface FindingWords {
  readonly seen: string;
  readonly next: string | null;
}

/** The words of each code of a topic; a text alone: there is no next step. */
export type WordsOf<F> = {
  readonly [C in keyof F]: (
    facts: F[C],
    level: Level,
    about: string | null,
    faults: readonly Fault[],
  ) => FindingWords | string;
};
