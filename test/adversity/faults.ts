// What no run may do, whatever input it gets.
import { PASSWORD, UNTOLD } from "./conversation.ts";
import type { Ran } from "./runner.ts";

/** How much later than its deadline a run may end, in milliseconds, and how much memory it may use, in MB. */
const OVERSHOOT_MS = 500;
const PEAK_MB = 150;

/** No verdict is longer, in bytes. */
const VERDICT_BYTES = 4_096;

/** `runner.py` keeps only a part of longer output. */
const KEPT = 1_000_000;

/** C0 except line feeds and tabs, DEL, C1, and characters that turn the direction of text or end a line. */
const CONTROLS = /[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/;

export interface Bounds {
  readonly words: readonly string[];
  /** Null: a signal may end it. */
  readonly deadlineMs: number | null;
  /** Whether none of its input was damaged. Then it must recognise secrets by their names and forms. */
  readonly isIntact: boolean;
}

/** How long after its deadline, or after a signal, it ended. Below 0: before. */
export function overshootOf(ran: Ran, { deadlineMs }: Bounds): number {
  return deadlineMs === null ? (ran.sinceKillMs ?? -Infinity) : ran.ms - deadlineMs;
}

export function faultsOf(ran: Ran, bounds: Bounds): readonly string[] {
  const { words, deadlineMs, isIntact } = bounds;
  const said = ran.stdout + ran.stderr;
  const overshootMs = overshootOf(ran, bounds);
  const isCheck = words[0]?.startsWith("--") ?? true;
  const isJson =
    words.includes("json") && ran.stdout !== "" && ran.stdout.length < KEPT && ran.signal === null;
  const faults: Readonly<Record<string, boolean>> = {
    [`ended by ${ran.signal ?? `exit ${String(ran.code)}`}`]:
      ran.code === null ? deadlineMs !== null : ran.code !== 0 && ran.code !== 1,
    "an internal error": said.includes("internal error"),
    "a stack trace": /(?:\n|\\x0a)\s+at .+:\d+/.test(said),
    [`ended ${Math.round(overshootMs)} ms late`]: overshootMs > OVERSHOOT_MS,
    [`had ${Math.round(ran.peakMb)} MB`]: ran.peakMb > PEAK_MB,
    "the broker's password": said.includes(PASSWORD),
    "a secret of the settings": isIntact && said.includes(UNTOLD),
    "a raw control character": CONTROLS.test(said),
    [`a verdict of ${Buffer.byteLength(ran.stdout)} bytes`]:
      isCheck && !words.includes("--verbose") && Buffer.byteLength(ran.stdout) > VERDICT_BYTES,
    "JSON that cannot be read": isJson && !isParsed(ran.stdout),
  };
  return Object.keys(faults).filter((fault) => faults[fault]);
}

function isParsed(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
