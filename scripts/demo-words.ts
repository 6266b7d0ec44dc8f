import { styleText } from "node:util";
import { table } from "../src/render/table.ts";

/**
 * How a program ended that was asked about a worker. `exitCode` is undefined if it was killed because it did not end.
 */
export interface Answer {
  readonly line: string;
  readonly exitCode: number | undefined;
  readonly ms: number;
}

/** The question, and the answers of both programs. `theirs` is null if the old line was not run. */
export interface Scene {
  readonly title: string;
  readonly ours: Answer;
  readonly theirs: Answer | null;
}

/** The meaning of the old line's answer if it is not the expected one. */
export function unexpectedOldLine({ exitCode, ms }: Answer): string {
  if (exitCode === undefined) return `The old line is still waiting after ${seconds(ms)}.`;
  return exitCode === 0
    ? "The old line says that all is well."
    : "The old line got no answer this time: it waits for one second.";
}

/** How much longer the old line takes for the same answer. */
export function slower(ours: Answer, theirs: Answer): string {
  const times = Math.round(theirs.ms / ours.ms);
  return `The old line says the same${times > 1 ? `, ${times} times as slowly: it starts Python for it` : ""}.`;
}

/** A command that a user types. */
export function typed(command: string): string {
  return styleText("dim", `   $ ${command}`);
}

/** What a program printed, in the colour of its exit code. */
export function answered({ line, exitCode, ms }: Answer): string {
  const colour =
    exitCode === 0 ? "green" : line.startsWith("unknown") || exitCode === undefined ? "yellow" : "red";
  return `     ${styleText(colour, line)}\n     ${ended(exitCode)}, ${seconds(ms)}`;
}

export function title(words: string): string {
  return `\n${styleText("bold", `── ${words}`)}`;
}

export function lesson(sentence: string): string {
  return styleText("cyan", `   → ${sentence}`);
}

/** All scenes, one row each. */
export function summary(scenes: readonly Scene[]): readonly string[] {
  const [head = "", ...rows] = table(
    ["WHAT HAPPENED", "CELERY-PROBE", "EXIT", "TIME", "OLD LINE", "TIME"],
    scenes.map(({ title: what, ours, theirs }) => [
      what,
      verdictOf(ours.line),
      String(ours.exitCode ?? "-"),
      seconds(ours.ms),
      ...(theirs === null ? ["not asked", ""] : [ended(theirs.exitCode), seconds(theirs.ms)]),
    ]),
  );
  return [styleText("bold", head), ...rows];
}

/** What to do after the demonstration. */
export const NEXT: readonly (readonly [line: string, purpose: string])[] = [
  ["npm start -- --keep", "the same, and the workers go on running, with a page in your browser"],
  ["dist/celery-probe --help", "every command and option"],
  ["celery-probe", "in a worker's container: its health check, with no options"],
  ["celery-probe doctor", "what is wrong there, and what to do first"],
  ["celery-probe watch", "every worker and queue, refreshed"],
];

/** `healthy: alive` from a whole line. */
function verdictOf(line: string): string {
  return line.split(": ", 2).join(": ");
}

function ended(exitCode: number | undefined): string {
  return exitCode === undefined ? "no end" : `exit ${exitCode}`;
}

function seconds(ms: number): string {
  return ms < 10_000 ? `${Math.round(ms)} ms` : `${Math.round(ms / 1_000)} s`;
}
