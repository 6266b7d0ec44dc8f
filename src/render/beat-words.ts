import type { BeatEvidence, BeatReason, BeatVerdict } from "../beat/beat-verdict.ts";
import { withoutPasswords } from "./gate.ts";
import { brief, names, seconds, sentence } from "./speech.ts";

/** What was seen of the beat, and the next step. */
export function beatStatement(
  evidence: BeatEvidence,
  { reason }: BeatVerdict,
): readonly [fact: string, hint: string | null] {
  const [fact, hint] = WORDS[reason](evidence);
  return [sentence(withoutPasswords(fact)), hint === null ? null : withoutPasswords(hint)];
}

type Words = (evidence: BeatEvidence) => readonly [fact: string, hint: string | null];

const WORDS: { readonly [R in BeatReason]: Words } = {
  running: (evidence) => [`${who(evidence)} runs${details(evidence)}`, null],
  starting: (evidence) => [
    `${who(evidence)} has been started ${seconds(evidence.only?.ageS ?? 0)} ago`,
    null,
  ],
  "no-beat": () => [
    "no beat runs here",
    "its log says why it ended; a beat elsewhere is asked in its own container",
  ],
  ended: (evidence) => [
    `${who(evidence)} has ended: nobody has waited for its process ${evidence.only?.endedChild ?? ""}`,
    "restart the worker; its log says why it ended",
  ],
  unrecognised: ({ possible }) => [
    `no beat is recognised here; ${names(possible.map(({ pid, words }) => `process ${pid} (${brief(words)})`))} may be one`,
    "--pidfile names its pid file, as celery beat --pidfile writes it",
  ],
  "several-beats": ({ beats }) => [
    `${beats?.length ?? 0} beats run here: ${names((beats ?? []).map(processText))}`,
    "every periodic task is sent once by each: leave one, and start workers without -B beside it",
  ],
  stopped: (evidence) => [
    `${who(evidence)} is stopped or frozen, and sends nothing`,
    `kill -CONT ${evidence.beats?.[0]?.pid ?? ""} lets it go on, docker unpause a paused container`,
  ],
  "schedule-stale": (evidence) => [
    `${who(evidence)} has not written ${pathOf(evidence)} for ${seconds(evidence.only?.writtenAgoS ?? 0)}, longer than ${seconds(evidence.only?.maxAgeS ?? 0)}`,
    "it hangs, most likely on its broker, or its disk is full: restart it; where beat_max_loop_interval is longer than 5 min, --max-schedule-age goes above twice that",
  ],
  "schedule-deleted": (evidence) => [
    `${who(evidence)} writes to ${pathOf(evidence)}, which somebody has deleted`,
    "restart it, and keep the file on a volume",
  ],
  "schedule-missing": (evidence) => [
    `${who(evidence)} has no schedule file ${pathOf(evidence)}`,
    "may it write to that folder? its log says so; is --schedule the file that it writes?",
  ],
  silent: (evidence) => [
    `${who(evidence)} was told to answer pings (--enable-remote-control), and does not`,
    "it does not answer when its scheduler has stopped, or its broker is gone: its log says which",
  ],
  "lock-gone": (evidence) => [
    `${who(evidence)} uses redbeat, and nobody holds its lock ${lockOf(evidence)}`,
    "its scheduler has stopped: its log says why; is --redbeat-lock its redbeat_lock_key, and --broker where redbeat has it?",
  ],
  "no-processes": ({ beats }) => [
    beats === null ? "no process can be seen here" : "no beat is in sight",
    "run it in the beat's container, or let it share the PID namespace, as the beat's user; --placement inside says that the beat belongs here",
  ],
};

function who({ beats }: BeatEvidence): string {
  const [beat] = beats ?? [];
  if (beat === undefined) return "the beat";
  return beat.isEmbedded ? `the beat of worker process ${beat.pid} (-B)` : `beat process ${beat.pid}`;
}

function processText({ pid, isEmbedded }: { readonly pid: number; readonly isEmbedded: boolean }): string {
  return `process ${pid}${isEmbedded ? " (a worker with -B)" : ""}`;
}

function pathOf({ only }: BeatEvidence): string {
  return only !== null && "path" in only.schedule ? brief(only.schedule.path) : "its schedule file";
}

function lockOf({ only }: BeatEvidence): string {
  return only !== null && "key" in only.lock ? only.lock.key : "";
}

function details({ only }: BeatEvidence): string {
  if (only === null) return "";
  const { schedule, writtenAgoS, answers, lock } = only;
  const parts = [`, for ${seconds(only.ageS)}`];
  switch (schedule.kind) {
    case "there":
      parts.push(
        writtenAgoS === null
          ? `${brief(schedule.path)} is there, and is written when it ends (ndbm)`
          : `${brief(schedule.path)} written ${seconds(Math.max(0, writtenAgoS))} ago`,
      );
      break;
    case "none":
      parts.push(`scheduler ${schedule.scheduler}, which keeps no file`);
      break;
    case "forbidden":
      parts.push(`${brief(schedule.path)} may not be looked at by this user`);
      break;
    case "unknown":
      parts.push(
        "no schedule file is known to be its own: its application may name another scheduler or file",
      );
      break;
    case "missing":
    case "deleted":
      break;
    default:
      schedule satisfies never;
  }
  if (lock.kind === "held") {
    parts.push(`redbeat's lock is held${lock.ttlS === null ? "" : `, for ${seconds(lock.ttlS)} more`}`);
  }
  if (lock.kind === "gone") {
    parts.push(`nobody holds ${lock.key} on this broker, where redbeat has its lock by default`);
  }
  if (answers === true) parts.push("it answers pings");
  return parts.join("; ");
}
