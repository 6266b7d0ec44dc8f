import type { QueueFacts } from "../../doctor/facts/queues.ts";
import type { BindingSearch } from "../../session/declared-queues.ts";
import { amount, names, seconds, unsaid } from "../speech.ts";
import type { WordsOf } from "./words.ts";

export const QUEUE_WORDS: WordsOf<QueueFacts> = {
  "queue-length": (facts, level, about) => {
    if (facts.kind === "more")
      return `${amount(facts.queues, "more queue")} with ${amount(facts.messages, "message")}`;
    if (facts.kind === "untold") return `the length of ${names(facts.queues)} is unknown: ${facts.because}`;
    if (facts.kind === "no-list") {
      return {
        seen: "the key with this name is not a list: a worker that consumes it ends with WRONGTYPE",
        next: `redis-cli TYPE ${about ?? "QUEUE"} says what it is; give the key or the queue another name, or another database`,
      };
    }
    const { length, limit, growth } = facts;
    const now = `${waiting(length)}${level === "skipped" ? ", and nobody in this database knows the queue" : ""}`;
    const trend = growth === null ? "" : forecast(growth, length);
    if (level !== "warning") return `${now}${trend}`;
    return {
      seen: `${now}, more than ${limit}${trend}`,
      next: "start more workers or raise -c for it; if this length is usual, raise --max-queue-length",
    };
  },
  "queues-consumed": (facts, level, about) => {
    switch (facts.kind) {
      case "all": {
        const { queues, search, unmeasured } = facts;
        const unknown =
          unmeasured === 0 ? "" : `; the length of ${amount(unmeasured, "other queue")} is unknown`;
        const others = level === "ok" && search !== null ? ", no other has work" : "";
        return `${amount(queues, "queue")} consumed${others}${unseenBy(search)}${unknown}`;
      }
      case "unconsumed": {
        const { length, similar, nodes, silent } = facts;
        const queue = about ?? "";
        if (level === "skipped")
          return `${waiting(length)}, and no worker that answers consumes it${unsaid(silent, "worker")}`;
        const meant = similar === null ? "" : `; ${similar} is consumed: a typing error?`;
        return {
          seen: `${waiting(length)}, and nobody consumes it (${names(nodes)} ${nodes.length === 1 ? "answers" : "answer"})${meant}`,
          next:
            similar === null
              ? `start a worker with -Q ${queue}, or send these tasks elsewhere: task_routes, task_default_queue`
              : `write the same name in the worker's -Q and in task_routes or task_default_queue: ${queue} or ${similar}`,
        };
      }
      case "idle":
        return {
          seen: `answers and consumes no queue${facts.waiting.length === 0 ? "" : `, while work waits in ${names(facts.waiting)}`}`,
          next: "its consumers were cancelled: restart it, or celery control add_consumer QUEUE",
        };
      case "nobody-says":
        return "no worker said what it consumes";
      default:
        return facts satisfies never;
    }
  },
  standstill: ({ length, nodes, slots, free, overS, youngest, rated, behind }, _, __, [fault]) => {
    const begun = `${names(nodes)} ${nodes.length === 1 ? "has" : "have"} begun nothing for ${seconds(overS)}`;
    const still = length === 0 ? begun : `${waiting(length)}, and ${begun}`;
    const last =
      youngest === null
        ? ""
        : `; the youngest, ${youngest.name}, had run for ${seconds(youngest.ageS)} when asked`;
    switch (fault) {
      case "awaits-behind": {
        const [tasks, subtasks] = [names(behind?.tasks ?? []), names(behind?.subtasks ?? [])];
        return {
          seen: `${still}: tasks (${tasks}) hold all of the ${amount(slots, "slot")} and wait for results of tasks behind them (${subtasks})${last}`,
          next: `do not call .get() in a task: use a chain or chord, or give ${subtasks} a queue and worker of their own`,
        };
      }
      case "slots-held":
        return {
          seen: `${still}: tasks hold all of the ${amount(slots, "slot")}${last}`,
          next: "find out what these tasks wait for; a time limit (--time-limit) ends them, a higher -c or a queue of their own lets others pass",
        };
      case "slots-free":
        return {
          seen: `${still}, though ${free} of ${amount(slots, "slot")} ${free === 1 ? "is" : "are"} free`,
          next: "its children hang, or its connection is dead: py-spy dump --pid CHILD shows where a child hangs; then restart the worker",
        };
      case "slow-rate":
        return {
          seen: `${still}: the rate_limit of ${names(rated?.tasks ?? [])} lets ${rated?.perHour ?? 0} begin in an hour, and ${rated?.deliveries ?? 0} are delivered and wait for it`,
          next: "raise rate_limit (celery control rate_limit TASK 100/m), or give these tasks a queue and worker of their own",
        };
      default:
        return `${still}: ${
          free === 0
            ? `all of the ${amount(slots, "slot")} busy${last}`
            : rated === null
              ? "it is unknown whether it waits for a rate limit"
              : `${amount(rated.deliveries, "delivery", "deliveries")} may wait for a rate limit`
        }`;
    }
  },
  "queue-binding": ({ exchange, routingKey, type }, _, about) => ({
    seen: `the ${type} exchange ${exchange} no longer leads to it: kombu throws away tasks for that exchange and routing key ${routingKey} without an error`,
    next: `restart a worker that consumes ${about ?? "it"}: it binds its queues as it starts; DEL, FLUSHDB or an eviction has removed the binding`,
  }),
  elsewhere: ({ db, prefix, queue, length, own }) => ({
    seen: `no message arrives here, and ${waiting(length)} in ${prefix}${queue} of database ${db}, where no worker listens`,
    next:
      db === own.db
        ? `give clients and workers the same global_keyprefix (broker_transport_options): these workers have ${JSON.stringify(own.prefix)}`
        : `give clients and workers the same database in the broker's URL: these workers read database ${own.db}`,
  }),
  throughput: (facts, level) => {
    if (facts.kind === "unheard") {
      const { missing, nodes } = facts;
      const not = missing === 1 ? "was not" : "were not";
      const who = nodes === 0 ? "no worker was" : `${missing} of ${amount(nodes, "worker")} ${not}`;
      return `${who} heard twice, so the pace is unknown: --without-heartbeat, an --observe below 5s or a short --deadline can cause this`;
    }
    if (facts.kind === "unmeasured")
      return facts.queues === 0
        ? "no worker that answers consumes a queue"
        : "the queues were not measured twice: give --deadline more time";
    const { arrived, finished, growth, length, busy, overS } = facts;
    const slots = busy === null ? "" : `; ${busyWords(busy)}`;
    const seen = `${rate(arrived)} arrive, ${rate(finished)} end, ${waiting(length)}${forecast(growth, length)}${slots} (over ${seconds(overS)})`;
    if (level !== "warning") return seen;
    return { seen, next: "more tasks arrive than finish: more workers, a higher -c, or shorter tasks" };
  },
};

function unseenBy(search: BindingSearch | null): string {
  if (search === null) return "";
  if (search.refusal !== null)
    return "; SCAN is refused, so queues that only clients have declared are unknown";
  return search.isWhole
    ? ""
    : "; the search for queues that only clients have declared passed only some keys";
}

/** The threads pool counts a task as running for ever whose result could not be stored (celery/concurrency/base.py). */
function busyWords({ active, slots }: { readonly active: number; readonly slots: number }): string {
  return active > slots
    ? `${active} tasks are counted as running in ${amount(slots, "slot")}: the end of some was missed`
    : `${active} of ${slots} slots busy`;
}

function waiting(length: number): string {
  return length === 0 ? "nothing waits" : amount(length, "message waits", "messages wait");
}

function forecast(growth: number, length: number): string {
  if (growth > 0) return `, growing by ${rate(growth)}`;
  return growth < 0 && length > 0 ? `, empty in ${seconds(length / -growth)} at this rate` : "";
}

function rate(perSecond: number): string {
  return `${perSecond < 10 ? perSecond.toFixed(1) : Math.round(perSecond)}/s`;
}
