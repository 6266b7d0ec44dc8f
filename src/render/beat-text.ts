import type { BeatEvidence, BeatVerdict } from "../beat/beat-verdict.ts";
import type { ScheduleFile } from "../beat/schedule-file.ts";
import { beatStatement } from "./beat-words.ts";
import { boundedJson } from "./bounded-json.ts";
import type { Printable } from "./gate.ts";

/** The verdict in one line. */
export function beatText(evidence: BeatEvidence, verdict: BeatVerdict): string {
  const [fact, hint] = beatStatement(evidence, verdict);
  return `${verdict.status}: ${verdict.reason}: ${fact}${hint === null ? "" : `; hint: ${hint}`}`;
}

/** Further evidence, one row each. */
export function beatDetails({ beats, only }: BeatEvidence, broker: string): readonly string[] {
  return [
    `beats: ${beats === null ? "cannot be seen" : beats.map(({ pid }) => pid).join(", ") || "none"}`,
    ...(only === null
      ? []
      : [
          `schedule: ${scheduleText(only.schedule)}`,
          `limit: ${only.maxAgeS} s without a write`,
          `broker: ${broker}`,
        ]),
  ].map((row) => `  ${row}`);
}

function scheduleText(schedule: ScheduleFile): string {
  if ("path" in schedule) return `${schedule.path} (${schedule.kind})`;
  return schedule.kind === "none" ? schedule.scheduler : "unknown";
}

/** The verdict as JSON: schema 1, to which fields are only added (docs/beat.md). */
export function beatJson(evidence: BeatEvidence, verdict: BeatVerdict, elapsedMs: number): Printable {
  const [message, hint] = beatStatement(evidence, verdict);
  const { beats, only } = evidence;
  return boundedJson({
    schema: 1,
    ...verdict,
    message,
    hint,
    beats: beats?.map(({ pid, isEmbedded, isLeft }) => ({ pid, embedded: isEmbedded, left: isLeft })) ?? null,
    schedule:
      only === null
        ? null
        : {
            kind: only.schedule.kind,
            path: "path" in only.schedule ? only.schedule.path : null,
            written_ago_s: only.writtenAgoS === null ? null : Math.round(only.writtenAgoS),
            max_age_s: only.maxAgeS,
          },
    answers: only?.answers ?? null,
    elapsed_ms: Math.round(elapsedMs),
  });
}
