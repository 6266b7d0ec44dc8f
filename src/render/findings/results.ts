import type { Counted, FailedResults, ResultFacts } from "../../doctor/facts/results.ts";
import { brokerStatement } from "../broker-words.ts";
import { amount, seconds } from "../speech.ts";
import type { FindingWords, WordsOf } from "./words.ts";

export const RESULT_WORDS: WordsOf<ResultFacts> = {
  "failed-results": (facts, level) => {
    switch (facts.kind) {
      case "counted":
        return countedWords(facts, level === "warning");
      case "none-kept":
        return { seen: `no results are kept (from ${facts.from})`, next: null };
      case "other":
        return {
          seen: `results are in ${facts.scheme} (from ${facts.from}): only those in Redis are looked at`,
          next: null,
        };
      case "hidden":
        return {
          seen: `results are in ${facts.url} (from ${facts.from}), whose password is masked: --result-backend tells it`,
          next: null,
        };
      case "no-url":
        return { seen: `${facts.url} (from ${facts.from}) ${facts.problem}`, next: null };
      case "unusable": {
        const { fact, hint } = brokerStatement(facts.url, facts.failure);
        return {
          seen: `the result backend ${fact} (from ${facts.from})`,
          next: hint?.replace("the broker URL", "the URL of the result backend") ?? null,
        };
      }
      case "refused":
        return { seen: `${facts.url} (from ${facts.from}) permits no SCAN: ${facts.refusal}`, next: null };
      default:
        return facts satisfies never;
    }
  },
};

function countedWords(facts: FailedResults, isMany: boolean): FindingWords {
  const { url, from, results, unread, failed, limit, sample, exceptions, tasks, newest } = facts;
  const place = `in ${url} (from ${from})`;
  if (results > 0 && unread === results) {
    return { seen: `the results ${place} are not JSON (result_serializer, result_compression)`, next: null };
  }
  const counts = `${failed} of ${amount(results, "result")} failed${isMany ? `, more than ${limit}` : ""}`;
  const said = [
    ...(exceptions.length === 0 ? [] : [list(exceptions)]),
    ...(tasks.length === 0 ? [] : [`of ${list(tasks)}`]),
    ...(newest === null
      ? []
      : [
          `the newest ${seconds(newest.ageS)} ago${newest.exception === null ? "" : `: ${newest.exception}`}`,
        ]),
    ...(unread === 0 ? [] : [`${amount(unread, "result")} not JSON`]),
    ...(sample === null
      ? []
      : [`${thousands(sample.passed)} of about ${thousands(sample.keys)} keys looked at`]),
  ];
  return {
    seen: `${counts} ${place}${said.map((one) => `; ${one}`).join("")}`,
    next: isMany ? "read the tracebacks: the log of the worker has them, and GET celery-task-meta-ID" : null,
  };
}

function list(all: readonly Counted[]): string {
  return all.map(({ name, count }) => `${count} × ${name}`).join(", ");
}

function thousands(number: number): string {
  return number.toLocaleString("en-US");
}
