import type { AgedTask } from "../../celery/tasks.ts";
import type { TaskFacts, UnackedFacts, UnaskedNode } from "../../doctor/facts/tasks.ts";
import { amount, names, seconds } from "../speech.ts";
import type { FindingWords, WordsOf } from "./words.ts";

export const TASK_WORDS: WordsOf<TaskFacts> = {
  tasks: (facts) => {
    switch (facts.kind) {
      case "told":
        return facts.oldest === null
          ? "none in hand"
          : `${facts.count} in hand, the oldest ${aged(facts.oldest)}`;
      case "more":
        return `${facts.count} in hand on ${amount(facts.nodes, "more node")}`;
      case "nobody":
        return "no worker answers";
      case "not-asked":
        return unaskedWords(facts.nodes);
      default:
        return facts satisfies never;
    }
  },
  "task-age": (facts, _, __, [fault]) => {
    switch (facts.kind) {
      case "fine": {
        const { unjudged, silent } = facts;
        const unsaid = silent === 0 ? "" : `; ${amount(silent, "node")} did not say`;
        const unknown = unjudged === 0 ? "" : `; the limits of ${amount(unjudged, "task")} are not known`;
        return `no task in hand is known to be older than its limit${unknown}${unsaid}`;
      }
      case "nobody-says":
        return "no worker said which tasks it runs";
      case "running": {
        const { task, hardS, mostS, lax } = facts;
        const whose =
          fault === "over-option"
            ? "--max-task-age"
            : fault === "over-own-limit"
              ? "its own time limit"
              : "the worker's time limit";
        const limitS = (fault === "over-option" ? mostS : hardS) ?? 0;
        return {
          seen: `${aged(task)}, longer than ${whose} of ${seconds(limitS)} (task ${task.id})`,
          next:
            fault === "over-option"
              ? "find out what it waits for; a time limit (--time-limit) would end it"
              : lax !== null
                ? `the ${lax} pool ends no task at its limit: prefork does (-P prefork)`
                : "find out whether it was sent with a longer time_limit; if not, a restart ends it",
        };
      }
      default:
        return facts satisfies never;
    }
  },
  "unregistered-task": (facts, _, about) => {
    switch (facts.kind) {
      case "known": {
        const { looked, unread } = facts;
        const rest = unread === 0 ? "" : `; ${amount(unread, "message")} could not be read`;
        return looked === 0
          ? `no message waits${unread === 0 ? "" : " that could be looked at"}${rest}`
          : `the workers know the task that comes next${rest}`;
      }
      case "not-seen":
        return facts.because;
      case "unknown": {
        const { task, knowing, ignorant, silent } = facts;
        const unsaid = silent === 0 ? "" : `; ${amount(silent, "worker")} did not say`;
        return {
          seen:
            knowing.length === 0
              ? `${task} comes next, and no worker that consumes ${about ?? "it"} and answers knows it${unsaid}`
              : `${task} comes next, which ${names(ignorant)} does not know and ${names(knowing)} does${unsaid}`,
          next:
            knowing.length === 0
              ? "import its module in the worker (imports, include, autodiscover_tasks), or deploy the worker: what it does not know it throws away"
              : "deploy the same code to all of them, or give the task a queue of its own: what a worker does not know it throws away",
        };
      }
      default:
        return facts satisfies never;
    }
  },
  "priority-lists": ({ lists, read, silent }, _, about) => {
    const waiting = lists.reduce((sum, { length }) => sum + length, 0);
    const unsaid = silent === 0 ? "" : `; ${amount(silent, "worker")} did not say`;
    const own = read.map(
      ({ separator, prioritySteps }) =>
        `sep ${JSON.stringify(separator)}, priority_steps [${prioritySteps.join(", ")}]`,
    );
    const theirs = lists.map(({ end }) => JSON.stringify(`${about ?? ""}${end}`));
    return {
      seen: `${amount(waiting, "message")} ${waiting === 1 ? "waits" : "wait"} in ${names(theirs)}, which no worker reads that consumes ${about ?? "it"} (${names([...new Set(own)])})${unsaid}`,
      next: "give clients and workers the same sep and priority_steps in broker_transport_options",
    };
  },
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
    ...said(older, `was not asked, as that can harm Celery ${versions.join(", ")} (older than 5.2)`),
  ].join("; ");
}

function unackedWords(facts: UnackedFacts): FindingWords | string {
  const { unacked, looked, withEta, late, latest, latestS, beyond, farthest, farthestS } = facts;
  const { overdue, visibilityS, isDefault, isTold, silent } = facts;
  const timeout = `visibility timeout of ${seconds(visibilityS)}`;
  const [wrongs, nexts]: [string[], string[]] = [[], []];
  if (late > 0) {
    const unless = silent === 0 ? "" : ", unless one of those runs it that did not say";
    wrongs.push(
      `${amount(late, "task")} whose time has come ${late === 1 ? "does" : "do"} not run, ${latest?.name ?? ""} for ${seconds(latestS)} (task ${latest?.id ?? ""})${unless}`,
    );
    nexts.push(
      `the worker that holds it has died, is stopping or is full: it comes back after the ${timeout}`,
    );
  }
  const named = `${timeout}${isDefault ? " (the default)" : ""}`;
  if (beyond > 0) {
    wrongs.push(
      `${amount(beyond, "task")} ${beyond === 1 ? "has" : "have"} an ETA beyond the ${named}, ${farthest?.name ?? ""} in ${seconds(farthestS)}: delivered again before that, it runs twice`,
    );
  }
  if (overdue > 0) {
    wrongs.push(
      `${amount(overdue, "message")} ${overdue === 1 ? "was" : "were"} delivered longer ago than the ${named} and not acknowledged: delivered again, they run twice`,
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
