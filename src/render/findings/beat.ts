import type { BeatFacts } from "../../doctor/facts/beat.ts";
import { beatStatement } from "../beat-words.ts";
import { amount } from "../speech.ts";
import type { WordsOf } from "./words.ts";

/** A bad verdict belongs to only one of the two findings. The other then only says that the beat runs. */
const ofVerdict: WordsOf<BeatFacts>["beat-processes"] = ({ evidence, verdict }, level) => {
  const [seen, next] = beatStatement(
    evidence,
    level === "problem" ? verdict : { ...verdict, reason: "running" },
  );
  return { seen, next };
};

export const BEAT_WORDS: WordsOf<BeatFacts> = {
  "beat-processes": ofVerdict,
  "beat-schedule-file": ofVerdict,
  "beat-schedule": ({ entries, scheduler }, level) =>
    entries === null
      ? {
          seen: `its entries are in ${scheduler ?? "another scheduler"}, which the doctor does not read`,
          next: null,
        }
      : level === "warning"
        ? {
            seen: "beat_schedule is empty, by what workers say of their settings",
            next: "entries that are added in code (add_periodic_task) do not show; else set beat_schedule",
          }
        : { seen: `${amount(entries, "entry", "entries")} in beat_schedule`, next: null },
};
