import type { Config } from "../cli/options.ts";
import { complaint, type UsageProblem, wrong } from "../cli/usage.ts";
import type { Host } from "../host.ts";
import { type Outcome, success } from "../outcome.ts";
import { asObject, parseJson } from "../pidbox/envelope.ts";
import { uptimeMs } from "../worker/age.ts";
import type { WorkerProcess } from "../worker/survey.ts";
import type { Evidence } from "./evidence.ts";
import { judgeNode } from "./judge-node.ts";
import type { Judgement, Rules } from "./judgement.ts";

/**
 * The file in which runs note when a worker fell silent, in seconds of the machine's uptime. That clock runs on between
 * runs and cannot be set. For a worker that was seen stopped, the silence begins at that moment or later.
 */
export interface StateFile {
  /** How many seconds it has been silent, by the notes of earlier runs; null: nothing is noted. */
  readonly silentForS: (node: string, worker: WorkerProcess) => number | null;
  /** Notes what this run has seen. Returns a failure in the system's words; null: it worked. */
  readonly note: (evidence: Evidence, rules: Rules) => string | null;
}

/** The content of the file before anything is noted. */
export interface StateText {
  readonly path: string;
  /** Null: the file has no content, or not ours. */
  readonly state: Readonly<Record<string, unknown>> | null;
  /** Why it may not be replaced; null: it may be. */
  readonly obstacle: string | null;
}

/** The version of the file's form. */
const SCHEMA = 2;

/** Servers count whole seconds, so a note that differs by at most this much is kept. */
const ROUNDED_S = 2;

/** The most bytes of a file of ours. A note has at most 300, and a container has a few workers. */
const MOST = 1_048_576;

/** After a crash of the machine a file may be empty. It may also hold zeros, as many as it held bytes. */
const EMPTY = /^[\s\0]*$/;

/** Reads the file if the option names one. */
export function readStateFile(
  { value: path, origin }: Config["state-file"],
  { readFile }: Host,
): Outcome<StateText | null, UsageProblem> {
  if (path === null) return success(null);
  // The file is ours, so we do not follow a link. The owner of a link may lead us to any file.
  const text = readFile(path, MOST, "refused");
  const found = (state: StateText["state"], obstacle: string | null) => success({ path, state, obstacle });
  if (!text.ok) {
    const { kind, detail } = text.problem;
    if (kind === "unfit")
      return wrong(
        complaint(origin, path, `is ${detail}: expected a file of its own, or a name that is free`),
      );
    return found(null, kind === "gone" ? null : `it could not be read (${detail})`);
  }
  if (EMPTY.test(text.value)) return found(null, null);
  const state = asObject(parseJson(text.value));
  // A file of another version is ignored and replaced.
  return typeof state?.["schema"] === "number"
    ? found(state, null)
    : found(
        null,
        "it holds what celery-probe has not written: expected a file of its own, or a name that is free",
      );
}

/** The notes of earlier runs and of this one. */
export function openStateFile(file: StateText | null, { proc, writeFile }: Host): StateFile {
  if (file === null) return { silentForS: () => null, note: () => null };
  const { path, state, obstacle } = file;
  const noted = state?.["schema"] === SCHEMA ? asObject(state["silent_since"]) : null;
  const notes = new Map(
    Object.entries(noted ?? {}).flatMap(([key, since]) =>
      typeof since === "number" ? [[key, since] as const] : [],
    ),
  );
  const now = Math.floor(uptimeMs(proc) / 1_000);
  return {
    silentForS(node, worker) {
      const since = notes.get(keyOf(node, worker.pid, worker.startTicks));
      return since !== undefined && since <= now ? now - since : null;
    },
    note(evidence, rules) {
      // Every run reports this. Otherwise the user would not learn of it before a worker hangs.
      if (obstacle !== null) return obstacle;
      // What a `serve` has seen says nothing about the noted silence.
      if (evidence.asking.kind === "shared") return null;
      const before = JSON.stringify([...notes]);
      for (const node of evidence.nodes) {
        const silence = silenceIn(judgeNode(node, evidence, rules));
        if (silence === null) continue;
        const { process } = node;
        if (process.kind === "seen") {
          const key = keyOf(node.node, process.pid, process.startTicks);
          const noted = notes.get(key);
          if (silence === "none") notes.delete(key);
          else if (silence === "unmeasured") notes.set(key, noted ?? now);
          else if (!(Math.abs(Number(noted) - (now - silence)) <= ROUNDED_S)) notes.set(key, now - silence);
        } else {
          // It answered before it had to be examined, or it is gone. So its notes no longer hold.
          for (const key of notes.keys()) if (key.startsWith(`${node.node} `)) notes.delete(key);
        }
      }
      if (JSON.stringify([...notes]) === before) return null;
      const content = JSON.stringify({ schema: SCHEMA, silent_since: Object.fromEntries(notes) });
      const problem = writeFile(path, notes.size === 0 ? null : `${content}\n`);
      if (problem === null) return null;
      return problem.cause === "unfit" ? `it is ${problem.detail}` : problem.detail;
    },
  };
}

/**
 * How many seconds the worker has been silent; `unmeasured`: only the file can tell how long. Null: nothing shows
 * whether it is silent.
 */
function silenceIn(judgement: Judgement): number | "unmeasured" | "none" | null {
  if (judgement.status === "open" || judgement.status === "unknown") return null;
  // While it was stopped it could not write. That time does not count as silence.
  if (judgement.reason === "stopped") return 0;
  if (!("measured" in judgement)) return "none";
  return judgement.measured === "connections" ? judgement.forS : "unmeasured";
}

/**
 * Identifies a process for good. Its number may belong to another process tomorrow, and after each start a container
 * uses the same numbers again.
 */
function keyOf(node: string, pid: number, startTicks: number): string {
  return `${node} ${pid} ${startTicks}`;
}
