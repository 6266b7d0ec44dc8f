import type { Absence, Unsafe } from "../inspect/inspect-nodes.ts";
import type { Method, WordProblem } from "../inspect/methods.ts";
import { nodeHint } from "../cli/stray.ts";
import { amount, names, overBoundWords } from "./speech.ts";

/** Where the methods are listed. */
const LIST = "celery-probe help inspect lists the methods";

/** What is wrong with the words after `inspect`. */
export function wordSentence(problem: WordProblem): string {
  switch (problem.kind) {
    case "none":
      return "inspect needs a method: expected one of these";
    case "changing":
      return `'${problem.word}' changes what workers do, and celery-probe only asks: use celery control or celery purge`;
    case "meddling":
      return `'${problem.word}' changes something on the workers, so celery-probe does not ask it: ${LIST}`;
    case "unknown":
      return `unknown method '${problem.word}': ${problem.meant === null ? LIST : `expected ${problem.meant}?`}`;
    case "surplus":
      return problem.method === "conf"
        ? `unexpected word '${problem.word}' after conf: expected one NAME, or --with-defaults for settings that are not set`
        : `unexpected word '${problem.word}' after ${problem.method}: ${nodeHint(problem.word) ?? "expected options"}`;
    case "no-ids":
      return "query_task needs ids: celery-probe inspect query_task ID…";
    case "stray-option":
      return `--${problem.option} is for ${problem.of}: expected inspect ${problem.of}`;
    case "needless-option":
      return `--${problem.option} has no effect on the one setting '${problem.setting}': leave out one of them`;
    default:
      return problem satisfies never;
  }
}

/** @param like settings with a similar name */
export function unknownSettingSentence(name: string, like: readonly string[]): string {
  const hint =
    like.length === 0
      ? "celery-probe inspect conf --all --with-defaults lists every setting"
      : `expected ${like.join(" or ")}?`;
  return `unknown setting '${name}': ${hint}`;
}

/** Which answer is missing, and why. */
export function absenceLine(absence: Absence, method: Method): string {
  switch (absence.kind) {
    case "silent":
      return `no answer from ${absence.node}: it is busy, stopped or gone; celery-probe --node ${absence.node} says which`;
    case "unnamed":
      return `no answer from ${amount(absence.count, "subscriber")} with an unknown name: a busy or stopped worker, or a lost connection that the broker still counts`;
    case "unread":
      return `${absence.node ?? "a node"} answers in another format: its task_serializer is not json`;
    case "over-bound":
      return `${absence.node ?? "a node"} ${overBoundWords(absence)}`;
    case "late":
      return `no answer from ${absence.node} to ${method}, although it answers pings: --timeout gives it longer`;
    case "unversioned":
      return `${absence.node} did not say which versions it runs on and was not asked: ${method} can disable a worker; --allow-risky asks anyway`;
    case "beat":
      return `${absence.node} is a beat: it answers only pings`;
    default:
      return absence satisfies never;
  }
}

/** Why a method was not sent, what it could do to which nodes, and what to do instead. */
export function refusalLines(
  method: Method,
  unsafe: readonly Unsafe[],
  safe: readonly string[],
): readonly string[] {
  const reasons = [
    ...new Set(
      unsafe.map(({ danger: { kind, software } }) =>
        kind === "eventlet"
          ? "an eventlet pool does not survive an answer that cannot be serialised"
          : method === "active"
            ? `Celery ${software.celery} sends the arguments of tasks as they are, and kombu ${software.kombu} does not survive an answer that cannot be serialised`
            : `kombu ${software.kombu} does not survive an answer that cannot be serialised`,
      ),
    ),
  ];
  const who = names(unsafe.map(({ node }) => node));
  const would =
    method === "revoked"
      ? "its answer has all revoked ids, up to 50,000, and one id that is not JSON would disable"
      : "one task with an argument that is not JSON would disable";
  return [
    `${method} was not sent: ${would} ${who}`,
    ...reasons.map((reason) => `  ${reason}`),
    "  kombu up to 5.2.2 and from 5.7.0 on recovers; --allow-risky sends it anyway",
    ...(safe.length === 0
      ? []
      : [
          `  safe: ${names(safe)}; --node NAME asks ${safe.length === 1 ? "only it" : "only the named nodes"}`,
        ]),
  ];
}
