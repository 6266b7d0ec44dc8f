import type { Fault, Level } from "../../doctor/finding.ts";

/** A finding in words: what was seen, and the next step. Null: no step is needed. */
export interface FindingWords {
  readonly seen: string;
  readonly next: string | null;
}

/** The words for each code of a topic. A plain text has no next step. */
export type WordsOf<F> = {
  readonly [C in keyof F]: (
    facts: F[C],
    level: Level,
    about: string | null,
    faults: readonly Fault[],
  ) => FindingWords | string;
};
