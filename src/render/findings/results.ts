import type { Counted, Frequent, ResultFacts } from "../../doctor/facts/results.ts";
import { brokerStatement } from "../broker-words.ts";
import { amount, seconds } from "../speech.ts";
import type { FindingWords, WordsOf } from "./words.ts";

export const RESULT_WORDS: WordsOf<ResultFacts> = {
  "failed-results": (facts, level, _, faults) => {
    const { url, from } = facts;
    const by = `(from ${from})`;
    switch (facts.kind) {
      case "counted":
        return countedWords(facts, `in ${url} ${by}`, level, faults.length > 0);
      case "none-kept":
        return { seen: `no results are kept ${by}`, next: null };
      case "other":
        return {
          seen: `results are in ${facts.detail} ${by}: only those in Redis are looked at`,
          next: null,
        };
      case "hidden":
        return {
          seen: `results are in ${url} ${by}, whose password is masked: --result-backend tells it`,
          next: null,
        };
      case "no-url":
        return { seen: `${url} ${by} ${facts.detail}`, next: null };
      case "refused":
        return { seen: `${url} ${by} permits no SCAN: ${facts.detail}`, next: null };
      case "unusable": {
        const { fact, hint } = brokerStatement(url, facts.failure);
        const next = hint?.replace("the broker URL", "the URL of the result backend") ?? null;
        return { seen: `the result backend ${fact} ${by}`, next };
      }
      default:
        return facts satisfies never;
    }
  },
};

function countedWords(facts: Counted, place: string, level: string, isMany: boolean): FindingWords {
  const { results, unread, failed, limit, sample, exceptions, tasks, newestS } = facts;
  const seen = [
    `${failed} of ${amount(results, "result")} failed${isMany ? `, more than ${limit}` : ""} ${place}`,
    ...(exceptions.length === 0 ? [] : [list(exceptions)]),
    ...(tasks.length === 0 ? [] : [`of ${list(tasks)}`]),
    ...(newestS === null ? [] : [`the newest ${seconds(newestS)} ago`]),
    ...(unread === 0 ? [] : [`${unread} not JSON (result_serializer, result_compression)`]),
    ...(sample === null
      ? []
      : [`${thousands(sample.passed)} of about ${thousands(sample.keys)} keys looked at`]),
  ];
  const next = "read the tracebacks: the log of the worker has them, and GET celery-task-meta-ID";
  return { seen: seen.join("; "), next: level === "warning" ? next : null };
}

function list(all: readonly Frequent[]): string {
  return all.map(([name, count]) => `${count} × ${name}`).join(", ");
}

function thousands(number: number): string {
  return number.toLocaleString("en-US");
}
