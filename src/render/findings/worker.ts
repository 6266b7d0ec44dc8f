import type { WorkerFacts } from "../../doctor/facts/worker.ts";
import { elsewhereHints, statement } from "../statement.ts";
import { amount, names, overBoundWords } from "../speech.ts";
import type { WordsOf } from "./words.ts";

export const WORKER_WORDS: WordsOf<WorkerFacts> = {
  worker: ({ check, blockingPool }) => {
    const { status, reason } = check.verdict;
    // The broker has a finding of its own.
    if (reason === "broker-unreachable" || reason === "broker-refused") {
      const elsewhere = elsewhereHints(check).join("; ");
      return { seen: `${status}: ${reason}: no worker can be asked`, next: elsewhere || null };
    }
    const { fact, hint } = statement(check);
    const isSilent = reason === "busy" || reason === "hung";
    const pool =
      blockingPool !== null && isSilent
        ? `a ${blockingPool} pool answers nothing while a task blocks: prefork (-P prefork) answers during long tasks`
        : null;
    const next = [hint, pool].filter((one) => one !== null).join("; ");
    return { seen: `${status}: ${reason}: ${fact}`, next: next === "" ? null : next };
  },
  siblings: (facts, _, about) => {
    if (facts.kind === "shared") {
      return {
        seen: `${amount(facts.more + 1, "worker")} answered one ping as ${about ?? "it"}: only one of their answers is read, here and by celery inspect`,
        next: "give each worker a name of its own: -n worker@%h, and a host name for each container",
      };
    }
    const { answering, silent } = facts;
    const others =
      answering.length === 0
        ? "no other worker answers"
        : `${amount(answering.length, "other worker of this broker answers", "other workers of this broker answer")}: ${names(answering)}`;
    return `${others}${silent === 0 ? "" : `; ${silent} more did not answer`}`;
  },
  "large-answer": (facts, _, about) =>
    `${about === null ? "a node " : ""}${overBoundWords(facts)}: its answer to ${facts.method} is missing here`,
};
