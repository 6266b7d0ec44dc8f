import { redact } from "../broker/url.ts";
import { failure } from "../outcome.ts";
import type { Origin } from "./options.ts";

/** A problem with the command line or the environment: one sentence, with secrets masked. */
export interface UsageProblem {
  readonly kind: "usage";
  readonly sentence: string;
  /** The broker URL that cannot be read, if this is the problem. Its secrets are not masked. */
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

export function unreadUrl(url: UnreadUrl): { readonly ok: false; readonly problem: UsageProblem } {
  return failure({ kind: "usage", sentence: complaint(url.origin, redact(url.text), url.problem), url });
}

/** The name of a value's origin, in the user's words. */
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
 * The sentence about a value that cannot be read: its origin, its text, and the problem.
 *
 * @param shown the text, with secrets masked: see `mask`
 */
export function complaint(origin: Origin, shown: string, problem: string): string {
  return `${label(origin)} '${shown}' ${problem}`;
}

/** The user's text with secrets masked. If it may be a broker URL or a part of one, it is masked like one. */
export function mask(text: string): string {
  return /:\/\/|@/.test(text) ? redact(text) : text;
}
