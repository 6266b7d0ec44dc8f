import type { BeatEvidence, BeatReason, BeatVerdict, Renewed } from "../beat/beat-verdict.ts";
import type { BeatProcess } from "../beat/find-beats.ts";
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
  starting: (evidence) => [`${who(evidence)} was started ${seconds(evidence.only?.ageS ?? 0)} ago`, null],
  waiting: (evidence) => [`${who(evidence)} waits${details(evidence)}`, null],
  "no-beat": ({ another }) =>
    another === null
      ? ["no beat runs here", "its log says why it ended; check a beat elsewhere in its own container"]
      : [
          `no beat runs here: the pid file names process ${another.pid} (${brief(another.words)}), which is not a beat`,
          "is it the beat's pid file? the file outlives the beat, and another process may get its number; the beat's log says why it ended",
        ],
  ended: (evidence) => [
    `${who(evidence)} has ended${zombieOf(evidence)}`,
    "restart the worker; its log says why it ended",
  ],
  "left-behind": ({ beats }) => [
    `the worker has ended and left its beat (-B) behind: ${names((beats ?? []).map(({ pid }) => `process ${pid}`))}`,
    `it goes on sending tasks: end it (kill ${beats?.[0]?.pid ?? ""}) before a new worker starts`,
  ],
  unrecognised: ({ possible }) => [
    `no beat is recognised here; ${names(possible.map(({ pid, words }) => `process ${pid} (${brief(words)})`))} may be one`,
    "set --pidfile to the file that celery beat --pidfile writes",
  ],
  "several-beats": ({ beats }) => [
    `${beats?.length ?? 0} beats run here: ${names((beats ?? []).map(processText))}`,
    "each of them sends every periodic task: keep one, and start workers without -B",
  ],
  stopped: (evidence) => [
    `${who(evidence)} is stopped or frozen, and sends nothing`,
    `kill -CONT ${evidence.only?.haltedPid ?? ""} lets it go on; for a paused container use docker unpause`,
  ],
  "schedule-stale": (evidence) => [
    `${who(evidence)} has not written ${pathOf(evidence)} for ${seconds(evidence.only?.writtenAgoS ?? 0)}, longer than ${seconds(evidence.only?.maxAgeS ?? 0)}`,
    "it hangs, most likely on its broker, or its disk is full: restart it; if beat_max_loop_interval is above 5 min, set --max-schedule-age above twice that",
  ],
  "schedule-deleted": (evidence) => [
    `${who(evidence)} writes to ${pathOf(evidence)}, which was deleted`,
    "restart it, and keep the file on a volume",
  ],
  "schedule-missing": (evidence) => [
    `${who(evidence)} has no schedule file ${pathOf(evidence)}`,
    "may it write to that folder? its log says so; is --schedule the file that it writes?",
  ],
  silent: (evidence) => [
    `${who(evidence)} was told to answer pings (--enable-remote-control), but does not`,
    "it does not answer when its scheduler has stopped, or its broker is gone: its log says which",
  ],
  "lock-gone": (evidence) => [
    `${who(evidence)} uses redbeat, and no beat holds its lock ${lockOf(evidence)}`,
    "its scheduler has stopped: its log says why; is --redbeat-lock its redbeat_lock_key, and --broker where redbeat has it?",
  ],
  "lock-left": (evidence) => [
    `${who(evidence)} waits for redbeat's lock ${lockOf(evidence)}, and the beat that holds it has not renewed it for ${seconds(othersOf(evidence)?.agoS ?? 0)}`,
    `that beat has ended, and no task is sent until its lock expires: redis-cli DEL ${lockOf(evidence)} ends it at once; a lower redbeat_lock_timeout makes the next wait shorter`,
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

function processText({ pid, isEmbedded, isLeft }: BeatProcess): string {
  const what = isLeft ? " (left by a worker that has ended)" : isEmbedded ? " (a worker with -B)" : "";
  return `process ${pid}${what}`;
}

function zombieOf({ only }: BeatEvidence): string {
  const zombie = only?.ended?.zombie ?? null;
  return zombie === null
    ? ": the worker no longer has such a process"
    : `: its process ${zombie} is a zombie`;
}

function othersOf({ only }: BeatEvidence): Renewed | null {
  return only?.lock.kind === "held" ? only.lock.others : null;
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
          ? `${brief(schedule.path)} exists, and ndbm writes it only when the beat ends`
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
      parts.push("no file is known to be its schedule: its application may name another scheduler or file");
      break;
    case "missing":
    case "deleted":
      break;
    default:
      schedule satisfies never;
  }
  if (lock.kind === "held") {
    const { ttlS, others } = lock;
    const ago = others?.agoS ?? null;
    const by =
      others === null
        ? ""
        : ` by another beat${ago === null ? "" : `, which renewed it ${seconds(ago)} ago`}`;
    parts.push(`redbeat's lock is held${by}${ttlS === null ? "" : `, for ${seconds(ttlS)} more`}`);
  }
  if (lock.kind === "gone") {
    parts.push(`nobody holds ${lock.key} on this broker, where redbeat has its lock by default`);
  }
  if (answers === true) parts.push("it answers pings");
  return parts.join("; ");
}
