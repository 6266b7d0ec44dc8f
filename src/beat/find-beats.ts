import { wholeEnvironment } from "../worker/environment.ts";
import { survey } from "../worker/survey.ts";
import type { ProcFiles } from "../worker/proc-files.ts";
import { statOf, statusOf } from "../worker/process-status.ts";
import { type Candidate, candidatesIn } from "../worker/candidates.ts";
import { settingOf, type Sources } from "../celery/settings.ts";
import {
  NOTHING_GIVEN,
  type OptionsGiven,
  readBeatOptions,
  readWorkerOptions,
  variableOf,
} from "../celery/worker-options.ts";

/** A process that runs a beat. */
export interface BeatProcess {
  readonly pid: number;
  readonly startTicks: number;
  /** A worker with `-B`, whose beat is a child or a thread of it. */
  readonly isEmbedded: boolean;
  readonly given: OptionsGiven;
  /** Null: it may not be read. */
  readonly environment: ReadonlyMap<string, string> | null;
  /** The letter of /proc/N/stat. */
  readonly state: string;
}

/** Who is here. */
export interface Beats {
  /** Null: there is no /proc, or it hides processes. */
  readonly beats: readonly BeatProcess[] | null;
  /** Where there is none: Python programs that may be a beat by another name. */
  readonly possible: readonly Candidate[];
}

/** The words that click takes for true, of flags in variables. */
const TRUE = /^(?:1|true|t|yes|y|on)$/i;

/**
 * The beats of this container.
 *
 * @param named the one that somebody has named by its number; null: nobody
 */
export function findBeats(proc: ProcFiles, named: number | null): Beats {
  const pids = proc.pids();
  const one = proc.read("/proc/1/cmdline");
  if (pids === null || (!one.ok && one.problem === "forbidden")) return { beats: null, possible: [] };
  const depth = statusOf(proc, proc.self)?.namespacePids.length ?? 1;
  const found = (named === null ? pids : [named]).flatMap((pid): readonly BeatProcess[] => {
    if (pid === proc.self) return [];
    const text = proc.read(`/proc/${pid}/cmdline`);
    const environment = text.ok ? wholeEnvironment(proc, pid) : null;
    const beat = text.ok ? readBeat(text.value, environment) : null;
    const stat = statOf(proc, pid);
    const status = statusOf(proc, pid);
    if ((beat === null && named === null) || stat === null || status === null) return [];
    if (status.namespacePids.length > depth || stat.state === "Z") return [];
    return [
      {
        ...(beat ?? { isEmbedded: false, given: NOTHING_GIVEN }),
        pid,
        startTicks: stat.startTicks,
        environment,
        state: stat.state,
      },
    ];
  });
  const beats = found.filter(({ pid }) => !isSecond(proc, pid, found));
  return { beats, possible: beats.length > 0 || named !== null ? [] : possibleIn(proc) };
}

/** A fork has its parent's command line, and is not told apart from it. */
function possibleIn(proc: ProcFiles): readonly Candidate[] {
  const workers = survey(proc).workers;
  return candidatesIn(proc, workers).filter(({ isPython, isForked }) => isPython === true && !isForked);
}

/** What is known of how it was set up. */
export function sourcesOf({ isEmbedded, given, environment }: BeatProcess): Sources {
  return {
    program: isEmbedded ? "worker" : "beat",
    options: given.values,
    environment: Object.fromEntries(environment ?? []),
    settings: null,
  };
}

/** Its scheduler by its command line and its environment; null: not told there. */
export function schedulerOf(beat: BeatProcess): string | null {
  const scheduler = settingOf("beat_scheduler", sourcesOf(beat))?.value;
  return typeof scheduler === "string" ? scheduler : null;
}

/** Whether it was told to answer pings (Celery ≥ 5.7). */
export function isToAnswer({ given, environment }: BeatProcess): boolean {
  if (given.flags.has("no-enable-remote-control")) return false;
  return (
    given.flags.has("enable-remote-control") ||
    // The option's name in Celery's code has no `enable` (celery/bin/beat.py).
    TRUE.test(environment?.get(variableOf("beat", "remote-control")) ?? "")
  );
}

/** `watchmedo … celery beat` in front of a beat, and the forks of a beat or of a worker with one, are no beats. */
function isSecond(proc: ProcFiles, pid: number, found: readonly BeatProcess[]): boolean {
  const parentOf = (one: number) => statOf(proc, one)?.parent ?? 0;
  const isBeat = (one: number) => found.some((other) => other.pid === one);
  if (isBeat(parentOf(pid)) && statOf(proc, pid)?.isForked) return true;
  return found.some((other) => {
    if (statOf(proc, other.pid)?.isForked) return false;
    for (let one = parentOf(other.pid); one > 1; one = parentOf(one)) if (one === pid) return true;
    return false;
  });
}

/** By the text of /proc/N/cmdline: words, or the title that setproctitle has written (celery/apps/beat.py). */
function readBeat(
  text: string,
  environment: BeatProcess["environment"],
): Pick<BeatProcess, "isEmbedded" | "given"> | null {
  if (text.startsWith("[celery beat]")) {
    const words = text
      .replace(/(?<!\0)\0+$/, "")
      .split(" ")
      .slice(2);
    return { isEmbedded: false, given: readBeatOptions(words) ?? NOTHING_GIVEN };
  }
  const words = text.split("\0").slice(0, -1);
  const program = (words[0] ?? "").replace(/^.*\//, "");
  if (!/^(?:celery|python[\d.]*|pypy[\d.]*)$/.test(program)) return null;
  for (const [at, word] of words.entries()) {
    if (!/(?:^|\/)celery(?:\.py)?$|\.celery$|\/celery\/__main__\.py$/.test(word)) continue;
    const rest = words.slice(at + 1);
    const beat = readBeatOptions(rest);
    if (beat !== null) return { isEmbedded: false, given: beat };
    const worker = readWorkerOptions(rest);
    if (worker !== null && hasBeat(worker, environment)) {
      const values = new Map(worker.values);
      values.delete("hostname");
      return { isEmbedded: true, given: { values, flags: worker.flags } };
    }
  }
  return null;
}

function hasBeat({ flags }: OptionsGiven, environment: BeatProcess["environment"]): boolean {
  return (
    flags.has("beat") || flags.has("B") || TRUE.test(environment?.get(variableOf("worker", "beat")) ?? "")
  );
}
