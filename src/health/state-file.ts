import type { Host } from "../host.ts";
import { asObject, parseJson } from "../pidbox/envelope.ts";
import { uptimeMs } from "../worker/age.ts";
import type { WorkerProcess } from "../worker/survey.ts";
import type { Evidence } from "./evidence.ts";
import { judgeNode } from "./judge-node.ts";
import type { Judgement, Rules } from "./judgement.ts";

/**
 * The file in which runs note since when a worker has been silent, in seconds of the machine's uptime: that clock runs
 * on while nobody looks, and cannot be set. A worker that was seen stopped is silent since then at the earliest.
 */
export interface StateFile {
  /** For how many seconds, by the notes of earlier runs; null: nothing is noted. */
  readonly silentForS: (node: string, worker: WorkerProcess) => number | null;
  /** Notes what this run has seen; gives what went wrong, in the system's words. */
  readonly note: (evidence: Evidence, rules: Rules) => string | null;
}

/** The form of the file. */
const SCHEMA = 2;

/** Servers count whole seconds: a note that is off by so many is as good as a new one. */
const ROUNDED_S = 2;

/** Reads the file, if one was asked for; what is no state of ours counts as none, as after a change of version. */
export function openStateFile(path: string | null, { proc, writeFile }: Host): StateFile {
  if (path === null) return { silentForS: () => null, note: () => null };
  const text = proc.read(path);
  const state = asObject(text.ok ? parseJson(text.value) : null);
  const notes = new Map(
    Object.entries((state?.["schema"] === SCHEMA ? asObject(state["silent_since"]) : null) ?? {}),
  );
  const now = Math.floor(uptimeMs(proc) / 1_000);
  return {
    silentForS(node, worker) {
      const since = notes.get(keyOf(node, worker.pid, worker.startTicks));
      return typeof since === "number" && since <= now ? now - since : null;
    },
    note(evidence, rules) {
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
          // It answered before anybody had to look, or is gone: nothing that was noted of it holds.
          for (const key of notes.keys()) if (key.startsWith(`${node.node} `)) notes.delete(key);
        }
      }
      if (JSON.stringify([...notes]) === before) return null;
      const content = JSON.stringify({ schema: SCHEMA, silent_since: Object.fromEntries(notes) });
      return writeFile(path, notes.size === 0 ? null : `${content}\n`);
    },
  };
}

/**
 * For how many seconds the worker has been silent; `unmeasured`: for a time that only the file can tell. Null: nothing
 * speaks for or against it.
 */
function silenceIn(judgement: Judgement): number | "unmeasured" | "none" | null {
  if (judgement.status === "open" || judgement.status === "unknown") return null;
  // What it could not write while it was held is no silence of its own.
  if (judgement.reason === "stopped") return 0;
  if (judgement.reason !== "busy" && judgement.reason !== "hung") return "none";
  return judgement.measured === "connections" ? judgement.forS : "unmeasured";
}

/** A process for good: its number may be another's tomorrow, and a container's numbers are the same after each start. */
function keyOf(node: string, pid: number, startTicks: number): string {
  return `${node} ${pid} ${startTicks}`;
}
