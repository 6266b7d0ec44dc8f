import { readCommandLine, programWords, UNKNOWN_COMMAND } from "../worker/command.ts";
import {
  beatChildOf,
  isBeatTitle,
  isLeftBeat,
  isToldBeat,
  mayHaveBeat,
  TRUE,
} from "../worker/embedded-beat.ts";
import { wholeEnvironment } from "../worker/environment.ts";
import { hasPython } from "../worker/interpreter.ts";
import { ownDepth, survey, workerByPid } from "../worker/survey.ts";
import type { ProcFiles } from "../worker/proc-files.ts";
import { examine } from "../worker/process.ts";
import { type Stat, statOf, statusOf } from "../worker/process-status.ts";
import { type Candidate, candidatesIn } from "../worker/candidates.ts";
import { settingOf, type Sources } from "../celery/settings.ts";
import { NOTHING_GIVEN, type OptionsGiven, readBeatOptions, variableOf } from "../celery/worker-options.ts";

/** A process that runs a beat. */
export interface BeatProcess {
  readonly pid: number;
  readonly startTicks: number;
  /** A worker with `-B`: its beat is a child process. */
  readonly isEmbedded: boolean;
  /** The beat's worker has ended, but the beat still runs. */
  readonly isLeft: boolean;
  readonly given: OptionsGiven;
  /** Null: the environment may not be read. */
  readonly environment: ReadonlyMap<string, string> | null;
}

/** The beats of this container. */
export interface Beats {
  /** Null: there is no /proc, or it hides processes. */
  readonly beats: readonly BeatProcess[] | null;
  /** If there is no beat: Python programs that may be a beat under another name. */
  readonly possible: readonly Pick<Candidate, "pid" | "words">[];
  /** The process that a pid file names, if it is not a beat. Null: it names a beat, or no running process. */
  readonly another: Pick<Candidate, "pid" | "words"> | null;
}

/** A process that a pid file names. */
export interface Named {
  readonly pid: number;
  /** Whether a process with this start time already ran when the pid file was written. */
  readonly wasThere: (startTicks: number) => boolean;
}

/**
 * Finds the beats of this container.
 *
 * @param named the process of a pid file. Null: all processes are searched
 */
export function findBeats(proc: ProcFiles, named: Named | null): Beats {
  const pids = proc.pids();
  const one = proc.read("/proc/1/cmdline");
  const nobody = { beats: [], possible: [], another: null };
  if (pids === null || (!one.ok && one.problem === "forbidden")) return { ...nobody, beats: null };
  if (named !== null) return { ...nobody, ...namedBeat(proc, named) };
  const found = pids.flatMap((pid) => beatAt(proc, pid) ?? []);
  const byPid = new Map(found.map((beat) => [beat.pid, beat]));
  const beats = [...byPid.values()].filter(({ pid }) => !isSecond(proc, pid, found));
  return { ...nobody, beats, possible: beats.length > 0 ? [] : possibleIn(proc) };
}

/** The number in a pid file may be out of date: another program may have it now. Or the file is another program's. */
function namedBeat(proc: ProcFiles, { pid, wasThere }: Named): Partial<Beats> {
  const beat = beatAt(proc, pid);
  if (beat !== null) return { beats: [beat] };
  const seen = processAt(proc, pid);
  if (seen === null) return {};
  const { text, stat } = seen;
  const about = { pid, words: programWords(text) };
  const { kind } = readCommandLine(text);
  const mayBe = (kind === "python" || kind === "other") && hasPython(proc, pid) !== false;
  if (!mayBe) return { another: about };
  const { startTicks } = stat;
  if (!wasThere(startTicks)) return { possible: [about] };
  const environment = wholeEnvironment(proc, pid);
  return {
    beats: [{ pid, startTicks, isEmbedded: false, isLeft: false, given: NOTHING_GIVEN, environment }],
  };
}

/** A process of this container that has not ended. */
function processAt(proc: ProcFiles, pid: number): { readonly text: string; readonly stat: Stat } | null {
  if (pid === proc.self) return null;
  const text = proc.read(`/proc/${pid}/cmdline`);
  const stat = statOf(proc, pid);
  const status = statusOf(proc, pid);
  if (!text.ok || stat === null || stat.state === "Z" || status === null) return null;
  return status.namespacePids.length > ownDepth(proc) ? null : { text: text.value, stat };
}

function beatAt(proc: ProcFiles, pid: number): BeatProcess | null {
  const text = proc.read(`/proc/${pid}/cmdline`);
  if (!text.ok || !/celery/.test(text.value)) return null;
  const seen = processAt(proc, pid);
  if (seen === null) return null;
  const { stat } = seen;
  const environment = wholeEnvironment(proc, pid);
  // The worker's title has overwritten its variables in memory, so only its child shows that it has a beat.
  const worker =
    isBeatTitle(seen.text) && stat.isForked ? workerByPid(proc, stat.parent, "connections") : null;
  if (worker !== null && worker.command !== UNKNOWN_COMMAND) {
    const { pid: parent, startTicks, command } = worker;
    const given = withoutName(command);
    return { pid: parent, startTicks, isEmbedded: true, isLeft: false, given, environment: null };
  }
  const beat = readBeat(seen.text, environment);
  if (beat === null) return null;
  const isLeft = isLeftBeat(proc, pid, seen.text, stat);
  if (beat.isEmbedded && !isLeft && !isToldBeat(beat.given) && hasBegunWithout(proc, pid, stat)) return null;
  const isEmbedded = isLeft || beat.isEmbedded;
  return { pid, startTicks: stat.startTicks, isEmbedded, isLeft, given: beat.given, environment };
}

/** Forked processes are left out: they have their parent's command line. */
function possibleIn(proc: ProcFiles): readonly Candidate[] {
  const workers = survey(proc).workers;
  return candidatesIn(proc, workers).filter(({ isPython, isForked }) => isPython === true && !isForked);
}

/** How the beat was set up, as far as its process shows. */
export function sourcesOf({ isEmbedded, given, environment }: BeatProcess): Sources {
  return {
    program: isEmbedded ? "worker" : "beat",
    options: given.values,
    environment: Object.fromEntries(environment ?? []),
    settings: null,
  };
}

/** The scheduler that its command line or its environment names. Null: neither names one. */
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

/**
 * Whether a worker has no beat although it should have started it by now. It starts it after Celery's signal handlers.
 */
export function hasBegunWithout(
  proc: ProcFiles,
  pid: number,
  { startTicks }: Pick<Stat, "startTicks">,
): boolean {
  return examine(proc, pid, startTicks)?.handlesSignals === true && beatChildOf(proc, pid) === null;
}

/**
 * Whether the process only looks like a beat: a wrapper such as `watchmedo … celery beat`, or a fork of a beat or of
 * its worker.
 */
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

/** Reads /proc/N/cmdline: words, or the title that setproctitle has written (celery/apps/beat.py). */
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
  const program = readCommandLine(text);
  if (program.kind === "main") {
    const { command } = program;
    return mayHaveBeat(command, environment) ? { isEmbedded: true, given: withoutName(command) } : null;
  }
  const words = text.split("\0").slice(0, -1);
  if (!/^(?:celery|python[\d.]*|pypy[\d.]*)$/.test((words[0] ?? "").replace(/^.*\//, ""))) return null;
  for (const [at, word] of words.entries()) {
    if (!/(?:^|\/)celery(?:\.py)?$|\.celery$|\/celery\/__main__\.py$/.test(word)) continue;
    const beat = readBeatOptions(words.slice(at + 1));
    if (beat !== null) return { isEmbedded: false, given: beat };
  }
  return null;
}

/** A worker's `-n` is not its beat's name. */
function withoutName({ values, flags }: OptionsGiven): OptionsGiven {
  return { values: new Map([...values].filter(([name]) => name !== "hostname")), flags };
}
