import type { AgedTask } from "../../celery/tasks.ts";
import type { TaskFacts, UnackedFacts, UnaskedNode } from "../../doctor/facts/tasks.ts";
import { amount, names, seconds, unsaid } from "../speech.ts";
import type { FindingWords, WordsOf } from "./words.ts";

export const TASK_WORDS: WordsOf<TaskFacts> = {
  tasks: (facts) => {
    switch (facts.kind) {
      case "told":
        return facts.oldest === null
          ? "none running"
          : `${facts.count} running, the oldest ${aged(facts.oldest)}`;
      case "more":
        return `${facts.count} running on ${amount(facts.nodes, "more node")}`;
      case "nobody":
        return "no worker answers";
      case "not-asked":
        return unaskedWords(facts.nodes);
      default:
        return facts satisfies never;
    }
  },
  "task-age": (facts, _, __, [fault]) => {
    if (facts.kind === "nobody-says") return "no worker said which tasks it runs";
    if (facts.kind === "fine") {
      const { unjudged, silent } = facts;
      const unknown = unjudged === 0 ? "" : `; the limits of ${amount(unjudged, "task")} are unknown`;
      return `no running task is known to be older than its limit${unknown}${unsaid(silent, "node")}`;
    }
    const { task, hardS, mostS, lax } = facts;
    const longer = (limit: string, limitS: number | null) =>
      `${aged(task)}, longer than ${limit} of ${seconds(limitS ?? 0)} (task ${task.id})`;
    if (fault === "over-option") {
      return {
        seen: longer("--max-task-age", mostS),
        next: "find out what it waits for; set a time limit (--time-limit) to end such tasks",
      };
    }
    return {
      seen: longer(fault === "over-own-limit" ? "its own time limit" : "the worker's time limit", hardS),
      next:
        lax !== null
          ? `the ${lax} pool ends no task at its limit: prefork does (-P prefork)`
          : "find out whether it was sent with a longer time_limit; if not, a restart ends it",
    };
  },
  "unregistered-task": (facts, _, about) => {
    if (facts.kind === "not-seen") return facts.because;
    if (facts.kind === "known") {
      const { looked, unread } = facts;
      const rest = unread === 0 ? "" : `; ${amount(unread, "message")} could not be read`;
      if (looked > 0) return `the workers know the task that comes next${rest}`;
      return `${unread === 0 ? "no message waits" : "no readable message waits"}${rest}`;
    }
    if (facts.kind === "scheduled") {
      return {
        seen: `the entry ${facts.entry} of beat_schedule sends ${facts.task}, and no worker that answers knows it${unsaid(facts.silent, "worker")}`,
        next: "correct the task's name in the entry, or import its module in the worker: a worker throws away tasks that it does not know",
      };
    }
    const { task, knowing, ignorant, silent } = facts;
    if (knowing.length === 0) {
      return {
        seen: `${task} comes next, and no worker that consumes ${about ?? "it"} and answers knows it${unsaid(silent, "worker")}`,
        next: "import its module in the worker (imports, include, autodiscover_tasks), or deploy the worker: it throws away tasks that it does not know",
      };
    }
    return {
      seen: `${task} comes next: ${names(knowing)} knows it and ${names(ignorant)} does not${unsaid(silent, "worker")}`,
      next: "deploy the same code to all of them, or give the task a queue of its own: a worker throws away tasks that it does not know",
    };
  },
  "priority-lists": ({ lists, read, silent }, _, about) => {
    const waiting = lists.reduce((sum, { length }) => sum + length, 0);
    const own = read.map(
      ({ separator, prioritySteps }) =>
        `sep ${JSON.stringify(separator)}, priority_steps [${prioritySteps.join(", ")}]`,
    );
    const theirs = lists.map(({ end }) => JSON.stringify(`${about ?? ""}${end}`));
    return {
      seen: `${amount(waiting, "message waits", "messages wait")} in ${names(theirs)}, where no worker that consumes ${about ?? "it"} reads (${names([...new Set(own)])})${unsaid(silent, "worker")}`,
      next: "give clients and workers the same sep and priority_steps in broker_transport_options",
    };
  },
  "repeated-tasks": (facts, _, __, [fault]) => {
    const { task, tasks } = facts;
    const more = tasks === 1 ? "" : `, and ${amount(tasks - 1, "more task")} likewise`;
    if (facts.kind === "retried") {
      return {
        seen: `${task.name} was retried ${facts.retries} times (task ${task.id})${more}: it may never end`,
        next: "set max_retries for it, and find out in the worker's log why it fails",
      };
    }
    if (facts.kind === "again") {
      return {
        seen: `${task.name} was put back and delivered again while the doctor looked (task ${task.id})${more}`,
        next: "its worker does not survive it, or rejects it: fix the task, or turn task_reject_on_worker_lost off",
      };
    }
    const twice = `${task.name} runs on ${facts.nodes.join(" and ")} at once, for ${seconds(facts.task.ageS)} on the first (task ${task.id})${more}`;
    return fault === "past-visibility"
      ? {
          seen: `${twice}: it was delivered again after the visibility timeout of ${seconds(facts.visibilityS)}`,
          next: 'broker_transport_options = {"visibility_timeout": seconds}, longer than the longest task, in all workers and clients',
        }
      : {
          seen: twice,
          next: "its worker lost the connection and kept the task (worker_cancel_long_running_tasks_on_connection_loss), or it was sent twice under one id",
        };
  },
  prefetch: ({ held, slots, full, idle }) => ({
    seen: `${names(full)} (${amount(slots, "slot")}, all busy) ${full.length === 1 ? "keeps" : "keep"} ${amount(held, "task")} waiting that ${names(idle)} could run`,
    next: "set worker_prefetch_multiplier = 1, and task_acks_late = True for long tasks",
  }),
  "late-tasks": (facts) => (facts.kind === "not-seen" ? facts.because : unackedWords(facts)),
};

function aged({ name, ageS }: AgedTask): string {
  return `${name} for ${seconds(ageS)}`;
}

function unaskedWords(nodes: readonly UnaskedNode[]): string {
  const said = (some: readonly UnaskedNode[], why: string) =>
    some.length === 0 ? [] : [`${names(some.map(({ node }) => node))} ${why}`];
  const older = nodes.filter(({ isOlder }) => isOlder);
  const versions = [...new Set(older.flatMap(({ version }) => version ?? []))];
  return [
    ...said(
      nodes.filter(({ isOlder }) => !isOlder),
      "did not say",
    ),
    ...said(older, `was not asked, because that can harm Celery ${versions.join(", ")} (older than 5.2)`),
  ].join("; ");
}

function unackedWords(facts: UnackedFacts): FindingWords | string {
  const { unacked, looked, withEta, late, latest, latestS, beyond, farthest, farthestS } = facts;
  const { overdue, visibilityS, isDefault, isTold, silent } = facts;
  const timeout = `visibility timeout of ${seconds(visibilityS)}`;
  const sample = looked < unacked ? ` (${looked} of ${unacked} looked at)` : "";
  const [wrongs, nexts]: [string[], string[]] = [[], []];
  if (late > 0) {
    const unless = silent === 0 ? "" : ", unless a worker that did not say runs it";
    wrongs.push(
      `${amount(late, "task is due and does", "tasks are due and do")} not run, ${latest?.name ?? ""} for ${seconds(latestS)} (task ${latest?.id ?? ""})${unless}${sample}`,
    );
    nexts.push(
      `the worker that holds it has died, is stopping or is full: it comes back after the ${timeout}`,
    );
  }
  const named = `${timeout}${isDefault ? " (the default)" : ""}`;
  if (beyond > 0) {
    wrongs.push(
      `${amount(beyond, "task has", "tasks have")} an ETA beyond the ${named}, ${farthest?.name ?? ""} in ${seconds(farthestS)}: delivered again before that, it runs twice${sample}`,
    );
  }
  if (overdue > 0) {
    wrongs.push(
      `${amount(overdue, "message was", "messages were")} delivered longer ago than the ${named} and not acknowledged: delivered again, they run twice`,
    );
  }
  if (beyond + overdue > 0) {
    nexts.push(
      'broker_transport_options = {"visibility_timeout": seconds}, longer than the longest ETA and task, in all workers and clients',
    );
  }
  if (wrongs.length > 0) return { seen: wrongs.join("; "), next: nexts.join("; ") };
  return unacked > 0
    ? `${amount(unacked, "message")} delivered and not acknowledged, ${withEta} of the ${looked} looked at with an ETA, none late`
    : `no message is delivered and not acknowledged${isTold ? "" : "; no worker has said under which keys these are"}`;
}
