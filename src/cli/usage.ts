import { redact } from "../broker/url.ts";
import { failure } from "../outcome.ts";
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
