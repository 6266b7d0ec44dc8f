import { redact } from "../broker/url.ts";
import { failure } from "../outcome.ts";
import { COMMAND_NAMES, type CommandName } from "./commands.ts";
import { OPTION_NAMES, type Origin } from "./options.ts";

/** What is wrong with the command line or the environment: one sentence, secrets masked. */
export interface UsageProblem {
  readonly kind: "usage";
  readonly sentence: string;
}

export function wrong(sentence: string): { readonly ok: false; readonly problem: UsageProblem } {
  return failure({ kind: "usage", sentence });
}

/** The name under which a user knows a value's origin. */
export function label(origin: Origin): string {
  switch (origin.kind) {
    case "flag":
    case "environment":
      return origin.name;
    case "worker":
      return `${origin.name} of process ${origin.pid}`;
    case "default":
      return "default";
    default:
      return origin satisfies never;
  }
}

/**
 * The sentence about a value that cannot be read: who gave it, the text, and what is wrong with it.
 *
 * @param shown the text, fit to be printed: see `mask`
 */
export function complaint(origin: Origin, shown: string, problem: string): string {
  return `${label(origin)} '${shown}' ${problem}`;
}

/** The user's own text without secrets: anything that may be a broker URL or a part of one is masked as one. */
export function mask(text: string): string {
  return /:\/\/|@/.test(text) ? redact(text) : text;
}

export function unknownWord(word: string, command: CommandName | null): string {
  return command === null
    ? `unknown command '${mask(word)}': expected ${COMMAND_NAMES.join(", ")}`
    : `unexpected word '${mask(word)}' after ${command}: expected options`;
}

export function unknownOption(word: string): string {
  const [closest] = OPTION_NAMES.map((name) => ({ name, distance: distance(`--${name}`, word) })).sort(
    (a, b) => a.distance - b.distance,
  );
  const hint =
    closest !== undefined && closest.distance <= 2
      ? `expected --${closest.name}?`
      : "see celery-probe --help";
  // What is no plain word may be an option and its value grown together.
  const shown = /^--?[a-z][a-z-]{0,30}$/i.test(word) ? word : `${/^--?[a-z]*/i.exec(word)?.[0] ?? ""}…`;
  return `unknown option '${shown}': ${hint}`;
}

/** Levenshtein's distance, for "did you mean". */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (const [line, letter] of Array.from(a).entries()) {
    const next = [line + 1];
    for (let column = 1; column <= b.length; column++) {
      const replaced = (row[column - 1] ?? 0) + (letter === b[column - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
