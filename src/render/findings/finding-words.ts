import type { Code, Facts, Finding, Level } from "../../doctor/finding.ts";
import { BROKER_WORDS } from "./broker.ts";
import { WORKER_WORDS } from "./worker.ts";
import type { FindingWords, WordsOf } from "./words.ts";

const WORDS: WordsOf<Facts> = { ...BROKER_WORDS, ...WORKER_WORDS };

/** Every code there is. */
export const CODES = Object.keys(WORDS) as readonly Code[];

export function findingWords({ code, level, about, facts }: Finding): FindingWords {
  // Code and facts of a finding belong together, which the compiler sees of each and not of all.
  const words = WORDS[code] as (facts: Facts[Code], level: Level, about: string | null) => FindingWords;
  return words(facts, level, about);
}
