import type { ResultFacts } from "../../doctor/facts/results.ts";
import type { Frequent, KeptResults } from "../../session/kept-results.ts";
import { brokerStatement } from "../broker-words.ts";
import { amount, seconds } from "../speech.ts";
import type { WordsOf } from "./words.ts";

type Untold = Exclude<ResultFacts["failed-results"]["kind"], "unusable" | "counted">;
const NOT_COUNTED: Readonly<Record<Untold, (url: string, detail: string) => string>> = {
  "none-kept": () => "no results are kept",
  other: (_, detail) => `the doctor reads only results in Redis, and these are in ${detail}`,
  hidden: (url) => `the password of ${url} is masked: set --result-backend`,
  "no-url": (url, detail) => `${url} ${detail}`,
  refused: (url, detail) => `${url} refuses SCAN: ${detail}`,
};

export const RESULT_WORDS: WordsOf<ResultFacts> = {
  "failed-results": ({ url, from, ...facts }, level, _, faults) => {
    if (facts.kind === "unusable") {
      const { fact, hint } = brokerStatement(url, facts.failure);
      const next = hint?.replace("the broker URL", "the URL of the result backend") ?? null;
      return { seen: `the result backend ${fact} (from ${from})`, next };
    }
    if (facts.kind !== "counted") return `${NOT_COUNTED[facts.kind](url, facts.detail)} (from ${from})`;
    const { failed, results, limit } = facts;
    const over = faults.includes("many-failures") ? `, more than ${limit}` : "";
    const seen = `${failed} of ${amount(results, "result")} failed${over} in ${url} (from ${from})`;
    return { seen: [seen, ...detailsOf(facts)].join("; "), next: level === "warning" ? TRACEBACKS : null };
  },
};

const TRACEBACKS = "read the tracebacks: the log of the worker has them, and GET celery-task-meta-ID";

function detailsOf({ unread, sample, exceptions, tasks, newestS }: KeptResults): readonly string[] {
  return [
    ...(exceptions.length === 0 ? [] : [list(exceptions)]),
    ...(tasks.length === 0 ? [] : [`of ${list(tasks)}`]),
    ...(newestS === null ? [] : [`the newest ${seconds(newestS)} ago`]),
    ...(unread === 0 ? [] : [`${unread} not JSON (result_serializer, result_compression)`]),
    ...(sample === null ? [] : [`${count(sample.passed)} of about ${count(sample.keys)} keys looked at`]),
  ];
}

const list = (all: readonly Frequent[]) => all.map(([name, times]) => `${times} × ${name}`).join(", ");
const count = (number: number) => number.toLocaleString("en-US");
