import type { Code, Facts, Finding } from "../../doctor/finding.ts";
import { BEAT_WORDS } from "./beat.ts";
import { BROKER_WORDS } from "./broker.ts";
import { FLOWER_WORDS } from "./flower.ts";
import { withoutPasswords } from "../gate.ts";
import { LOG_WORDS } from "./log.ts";
import { PROCESS_WORDS } from "./process.ts";
import { QUEUE_WORDS } from "./queues.ts";
import { RESULT_WORDS } from "./results.ts";
import { SETTINGS_WORDS } from "./settings.ts";
import { TASK_WORDS } from "./tasks.ts";
import { WORKER_WORDS } from "./worker.ts";
import { sentence } from "../speech.ts";
import type { FindingWords, WordsOf } from "./words.ts";

const WORDS: WordsOf<Facts> = {
  ...BROKER_WORDS,
  ...WORKER_WORDS,
  ...SETTINGS_WORDS,
  ...PROCESS_WORDS,
  ...LOG_WORDS,
  ...QUEUE_WORDS,
  ...TASK_WORDS,
  ...RESULT_WORDS,
  ...BEAT_WORDS,
  ...FLOWER_WORDS,
};

export const CODES = Object.keys(WORDS) as readonly Code[];

export function findingWords({ code, level, faults, about, facts }: Finding): FindingWords {
  // The code and the facts of a finding belong together. The compiler cannot see this for a union of findings.
  const words = WORDS[code] as WordsOf<{ any: Facts[Code] }>["any"];
  const said = words(facts, level, about, faults);
  const { seen, next } = typeof said === "string" ? { seen: said, next: null } : said;
  return { seen: sentence(withoutPasswords(seen)), next: next === null ? null : withoutPasswords(next) };
}
