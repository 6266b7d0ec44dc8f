import type { Evidence } from "../health/evidence.ts";
import type { WorkRules } from "../health/judgement.ts";
import type { Verdict } from "../health/verdict.ts";
import type { Tasks, WorkEvidence } from "../health/work-evidence.ts";
import type { Statement } from "./broker-words.ts";
import { amount, names, overBoundWords, seconds } from "./speech.ts";

/** The verdicts about queues and tasks in words. */
export function workStatement(
  verdict: Extract<Verdict, { reason: "not-consuming" | "stuck-task" | "backlog" }>,
): Statement {
  switch (verdict.reason) {
    case "not-consuming":
      return notConsuming(verdict);
    case "stuck-task": {
      const { node, task, id, ageS, limitMs } = verdict;
      return {
        fact: `${node} has been running ${task} for ${seconds(ageS)}, longer than ${seconds(limitMs / 1_000)} (task ${id})`,
        hint: "find out what it waits for; a restart ends it; set a time limit to prevent it",
      };
    }
    case "backlog": {
      const { queue, length, limit } = verdict;
      return {
        fact: `${amount(length, "message")} ${length === 1 ? "waits" : "wait"} in the queue ${queue}, more than ${limit}`,
        hint: "are there enough workers for it, and do they consume it?",
      };
    }
    default:
      return verdict satisfies never;
  }
}

function notConsuming({
  node,
  queue,
  how,
  length,
  pausedS,
  unacked,
}: Extract<Verdict, { reason: "not-consuming" }>): Statement {
  const waiting = length ? `, in which ${amount(length, "message")} ${length === 1 ? "waits" : "wait"}` : "";
  const paused = `${node} answers and has not fetched for ${seconds(pausedS)} from the queue ${queue}${waiting}`;
  switch (how) {
    case "cancelled":
      return {
        fact: `${node} answers and does not consume the queue ${queue}${waiting}`,
        hint: `celery control -d ${node} add_consumer ${queue} adds it, a restart does too; name other queues with --queue`,
      };
    case "half-open":
      return {
        fact: `${paused}, with room for more tasks`,
        hint: "restart it: the connection it waits on is dead; kombu 5.7.0 and newer notice that by themselves",
      };
    case "no-work":
      return {
        fact: `${paused}, and begins no task; ${unacked === 1 ? "1 delivery is" : `${unacked} deliveries are`} not acknowledged`,
        hint: "its log says whether the children of its pool die or hang; a gevent or eventlet pool in a script needs monkey-patching; or the connection it waits on is dead: then restart it",
      };
    default:
      return how satisfies never;
  }
}

/** Hints about checks of queues and tasks that could not be made. They change no verdict. */
export function workHints(
  { work }: Evidence,
  { requireConsuming, maxTaskAge }: WorkRules,
): readonly string[] {
  if (work === null) return [];
  const unmeasured = [...work.lengths].flatMap(([queue, length]) => (length === null ? [queue] : []));
  return [
    ...(work.ownerless.length === 0
      ? []
      : [`--max-queue-length: no worker seems to use the queue ${names(work.ownerless)}: check its name`]),
    ...(unmeasured.length === 0 ? [] : [`the broker did not tell the length of ${names(unmeasured)} (LLEN)`]),
    ...work.nodes.flatMap(({ node, consumed, consumedOverBound, tasks }) => [
      ...(requireConsuming && consumed === null
        ? [
            `--require-consuming: ${node} ${consumedOverBound ? overBoundWords(consumedOverBound) : "did not say what it consumes"}`,
          ]
        : []),
      ...(maxTaskAge === null ? [] : taskHints(node, tasks)),
    ]),
  ];
}

function taskHints(node: string, tasks: Tasks): readonly string[] {
  switch (tasks.kind) {
    case "told":
      return [];
    case "not-asked":
    case "no-answer":
      return [`--max-task-age: ${node} did not say what it runs`];
    case "over-bound":
      return [`--max-task-age: ${node} ${overBoundWords(tasks)}`];
    case "risky": {
      const { version } = tasks;
      return version === null
        ? [`--max-task-age: ${node} was not asked, because no heartbeat told its version`]
        : [`--max-task-age: ${node} was not asked, because that can harm Celery ${version} (older than 5.2)`];
    }
    default:
      return tasks satisfies never;
  }
}

/** The evidence about queues and tasks for people: each line with its label. */
export function workLines({ lengths, nodes }: WorkEvidence): readonly (readonly [string, string])[] {
  const waiting = [...lengths].map(([queue, length]) => `${queue} ${length ?? "?"}`);
  return [
    ...(waiting.length === 0 ? [] : [["waiting", names(waiting)] as const]),
    ...nodes.flatMap(({ node, consumed, tasks }) => [
      ...(consumed === null ? [] : [["consumes", `${node}: ${names(consumed) || "nothing"}`] as const]),
      ...(tasks.kind === "told" ? [["tasks", `${node}: ${taskWords(tasks)}`] as const] : []),
    ]),
  ];
}

function taskWords({ count, oldest }: Extract<Tasks, { kind: "told" }>): string {
  return oldest === null ? String(count) : `${count}, the oldest ${oldest.name} for ${seconds(oldest.ageS)}`;
}
