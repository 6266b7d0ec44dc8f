import { slips } from "../slips.ts";
import { redact } from "../broker/url.ts";
import { failure } from "../outcome.ts";
import { command, COMMAND_NAMES, type CommandName, DEFAULT_COMMAND } from "./commands.ts";
import type { Origin } from "./options.ts";

/** What is wrong with the command line or the environment: one sentence, secrets masked. */
export interface UsageProblem {
  readonly kind: "usage";
  readonly sentence: string;
  /** The broker URL that cannot be read, where that is what is wrong. Its text has its secrets. */
  readonly url?: UnreadUrl;
}

export interface UnreadUrl {
  readonly text: string;
  readonly origin: Origin;
  readonly problem: string;
}

export function wrong(sentence: string): { readonly ok: false; readonly problem: UsageProblem } {
  return failure({ kind: "usage", sentence });
}

/** A broker URL that cannot be read. */
export function unreadUrl(url: UnreadUrl): { readonly ok: false; readonly problem: UsageProblem } {
  return failure({ kind: "usage", sentence: complaint(url.origin, redact(url.text), url.problem), url });
}

/** The name under which a user knows a value's origin. */
export function label(origin: Origin): string {
  switch (origin.kind) {
    case "flag":
    case "environment":
      return origin.name;
    case "worker":
      return `${origin.name} of process ${origin.pid}`;
    case "connection":
      return ["the worker's connection", ...origin.by].join(" and ");
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

/** @param after the command behind which the word stands; null: it stands where a command should */
export function unknownWord(word: string, after: CommandName | null): string {
  if (after === null) return `unknown command '${mask(word)}': expected ${COMMAND_NAMES.join(", ")}`;
  const { words = "" } = command(after);
  return `unexpected word '${mask(word)}' after ${[after, words].join(" ").trim()}: expected options`;
}

export function missingWord(name: CommandName): string {
  const { words = "" } = command(name);
  return `${name} needs ${words}: see celery-probe help ${name}`;
}

export function emptyWord(name: CommandName): string {
  const { words = "" } = command(name);
  return `the word '' after ${name} is empty: expected ${words}`;
}

/** @param taken the options of the command in whose words it stands */
export function unknownOption(word: string, name: CommandName, taken: readonly string[]): string {
  const [closest] = taken
    .map((option) => ({ option, distance: slips(`--${option}`, word) }))
    .sort((a, b) => a.distance - b.distance);
  const page = name === DEFAULT_COMMAND ? "--help" : `help ${name}`;
  const hint =
    closest !== undefined && closest.distance <= 2
      ? `expected --${closest.option}?`
      : `see celery-probe ${page}`;
  // What is no plain word may be an option and its value grown together.
  const shown = /^--?[a-z][a-z-]{0,30}$/i.test(word) ? word : `${/^--?[a-z]*/i.exec(word)?.[0] ?? ""}…`;
  return `unknown option '${shown}': ${hint}`;
}
