import { EFFECTS } from "../celery/line-kinds.ts";
import type { Code, Facts, Fault, FindingOf, Level } from "./finding.ts";

/** A share of the memory limit, of a broker or a container. More use is a warning. */
const FULL = 0.9;

/** A share of the machine's memory. Less available memory is a warning. */
const SCARCE = 0.05;

/** In seconds. A younger worker was restarted recently if its container is older than it by `OLDER_S`. */
const YOUNG_S = 600;
const OLDER_S = 300;

/** A share of one core. A busier main process of a prefork pool hands out tasks as fast as it can. */
const BUSY = 0.9;

/**
 * A share of one core. A worker that uses less was not held back itself. The clock of /proc counts in hundredths of a
 * second.
 */
const IDLE = 0.01;

/** In seconds. A task may exceed its limit by this: clocks differ, and pools check once a second. */
const MARGIN_S = 5;

/** In seconds. If all slots are held, a longer wait for a queue's last message is a warning. */
const PATIENCE_S = 180;

/** Celery's default of worker_prefetch_multiplier. */
const USUAL_PREFETCH = 4;

/** At least this many failed tasks are a warning, if they are also `OFTEN` of all tasks. */
const SOME = 5;
const OFTEN = 0.1;

/** A level, and what is wrong if several things can be. */
type Judged = Level | readonly [Level, readonly Fault[]];

/**
 * How bad each finding is. Only the facts decide, and only here. `ok` needs something seen: anything unexamined is
 * `skipped`.
 */
export const LEVELS: { readonly [C in Code]: (facts: Facts[C]) => Judged } = {
  broker: ({ failure, follows }) => {
    if (failure !== null) return "problem";
    // A writable replica loses its writes when it synchronizes with its primary again.
    return follows === null ? "ok" : "warning";
  },
  "broker-name": () => "warning",
  "broker-memory": ({ used, limit, policy, evicted }) => {
    if (limit === null) return "ok";
    // `volatile-…` evicts only keys that expire: results may, tasks and bindings never do.
    if (evicted > 0 && policy?.startsWith("allkeys") === true) return ["problem", ["may-evict"]];
    if (policy !== null && policy !== "noeviction") return ["warning", ["may-evict"]];
    return used > limit * FULL ? "warning" : "ok";
  },
  worker: ({ check: { verdict } }) => {
    if (verdict.status !== "healthy") return "problem";
    // Such a worker is healthy, but it does not answer, and users complain about that.
    return ["busy", "deaf", "stopping"].includes(verdict.reason) ? "warning" : "ok";
  },
  siblings: (facts) => (facts.kind === "shared" ? "warning" : facts.answering.length > 0 ? "ok" : "skipped"),
  "large-answer": () => "skipped",
  pool: ({ told, pool, isTold }) => {
    if (told !== null) return "warning";
    return isTold && pool !== null ? "ok" : "skipped";
  },
  "always-eager": () => "warning",
  "time-limits": (facts) => {
    const faults = limitFaults(facts);
    if (faults.includes("limits-turned")) return ["problem", faults];
    if (faults.length > 0) return ["warning", faults];
    return facts.isTold ? "ok" : "skipped";
  },
  "container-timeouts": ({ over, near, isTold }) => {
    if (over.length + near.length > 0) return "warning";
    return isTold ? "ok" : "skipped";
  },
  memory: ({ limit, used, available, main, children }) => {
    if (limit !== null && used !== null && used > limit * FULL) return "warning";
    if (main === null) return "skipped";
    return available !== null && available < (available + main + children) * SCARCE ? "warning" : "ok";
  },
  "oom-kills": ({ count }) => (count > 0 ? "problem" : "ok"),
  restarts: ({ upS, containerUpS }) => {
    if (upS >= YOUNG_S) return "ok";
    if (containerUpS === null) return "skipped";
    return containerUpS - upS > OLDER_S ? "warning" : "ok";
  },
  cpu: ({ isPrefork, main, children, own, throttled }) => {
    // The CPU limit holds the container back. A mostly idle worker is not the cause: this doctor's own work may be.
    if ((throttled ?? 0) > 0 && main + children > Math.max(own, IDLE)) return ["warning", ["held-back"]];
    // In other pools the main process runs the tasks.
    return isPrefork && main > BUSY ? "warning" : "ok";
  },
  stuck: () => "problem",
  interpreter: ({ foreignScript }) => (foreignScript === null ? "ok" : "warning"),
  "file-permissions": ({ kind }) => (kind === "writable" ? "ok" : kind === "unseen" ? "skipped" : "problem"),
  log: (facts) => {
    if (facts.kind === "none") return "skipped";
    if (facts.kind === "clean" || facts.kind === "earlier") return "ok";
    // Workers in containers often log to /dev/stdout, which is a pipe.
    if (facts.kind === "unreadable")
      return facts.because.kind === "unfit" && !facts.isAsked ? "skipped" : "problem";
    const { kind, count, hasEnded } = facts.its;
    if (kind === "task-failed") return isOften(count, facts.tasks) ? "warning" : "ok";
    return EFFECTS[kind] === "passes" && !hasEnded ? "warning" : "problem";
  },
  "pool-package": () => "problem",
  "queue-length": (facts) => {
    if (facts.kind === "no-list") return "problem";
    if (facts.kind === "untold") return "skipped";
    if (facts.kind === "told" && facts.length > facts.limit) return "warning";
    // An empty queue that nobody uses shows nothing: a wrong name looks the same.
    return facts.isUsed || (facts.kind === "told" && facts.length > 0) ? "ok" : "skipped";
  },
  "queues-consumed": (facts) => {
    if (facts.kind === "nobody-says") return "skipped";
    if (facts.kind === "idle") return facts.waiting.length > 0 ? "problem" : "warning";
    // A silent worker may consume it.
    if (facts.kind === "unconsumed") return facts.silent === 0 ? "problem" : "skipped";
    return facts.search?.isWhole !== false && facts.unmeasured === 0 ? "ok" : "skipped";
  },
  throughput: (facts) => {
    if (facts.kind !== "measured") return "skipped";
    const { growth, finished, length, lengthBefore, busy } = facts;
    if (growth <= 0) return "ok";
    if (busy === null) return "skipped";
    // If enough messages waited all the time and tasks finished, a free slot is only the moment between two tasks.
    const isFull = busy.active >= busy.slots || (finished > 0 && lengthBefore > busy.slots);
    // Fewer messages than slots are no trend: some tasks came at the same time.
    return isFull && length > busy.slots ? "warning" : "ok";
  },
  standstill: ({ length, slots, free, overS, youngest, rated, behind }) => {
    if (behind !== null) return ["problem", ["awaits-behind"]];
    if (free === 0)
      return youngest !== null && ((youngest.ageS + overS) * length) / slots > PATIENCE_S
        ? ["warning", ["slots-held"]]
        : "ok";
    if (rated === null) return "skipped";
    if (rated.deliveries === 0) return ["problem", ["slots-free"]];
    return rated.deliveries + length > rated.perHour ? ["warning", ["slow-rate"]] : "ok";
  },
  // Clients name the queue. Celery uses the binding only if the exchange is not direct.
  "queue-binding": ({ type }) => (type === "direct" ? "warning" : "problem"),
  elsewhere: () => "warning",
  // A silent worker may read them.
  "priority-lists": ({ silent }) => (silent === 0 ? "problem" : "skipped"),
  tasks: ({ kind }) => (kind === "told" || kind === "more" ? "ok" : "skipped"),
  "task-age": (facts) => {
    if (facts.kind === "nobody-says") return "skipped";
    if (facts.kind === "fine") return facts.unjudged === 0 ? "ok" : "skipped";
    const { task, hardS, isOwn, mostS, lax } = facts;
    if (hardS !== null && hardS > 0 && task.ageS > hardS + MARGIN_S) {
      // The pool should have ended this task. It may have been sent with a longer limit, which nothing shows.
      return [lax === null ? "warning" : "problem", [isOwn ? "over-own-limit" : "over-worker-limit"]];
    }
    return mostS !== null && task.ageS > mostS ? ["warning", ["over-option"]] : "ok";
  },
  "unregistered-task": (facts) => {
    if (facts.kind === "not-seen") return "skipped";
    if (facts.kind === "known") return facts.looked === 0 && facts.unread > 0 ? "skipped" : "ok";
    if (facts.kind === "scheduled") return facts.silent === 0 ? "warning" : "skipped";
    return facts.knowing.length === 0 && facts.silent === 0 ? "problem" : "warning";
  },
  "repeated-tasks": (facts) => {
    if (facts.kind !== "twice") return facts.kind === "again" ? "problem" : "warning";
    return ["problem", facts.task.ageS > facts.visibilityS ? ["past-visibility"] : []];
  },
  prefetch: ({ held, slots }) => (held > slots * USUAL_PREFETCH ? "warning" : "ok"),
  "late-tasks": (facts) => {
    if (facts.kind === "not-seen") return "skipped";
    const { overdue, beyond, late, silent, unacked, isTold } = facts;
    if (overdue > 0 || beyond > 0) return "warning";
    // A silent worker may run the late task and acknowledge it at its end.
    if (late > 0) return silent === 0 ? "warning" : "skipped";
    return unacked > 0 || isTold ? "ok" : "skipped";
  },
  "failed-results": (facts) => {
    if (facts.kind === "unusable") return facts.isBrokers ? "skipped" : "warning";
    // Without a readable result, failures cannot be excluded.
    if (facts.kind !== "counted" || facts.unread === facts.results) return "skipped";
    if (facts.failed > facts.limit) return ["warning", ["many-failures"]];
    const all = Math.max(facts.results - facts.unread, facts.begun);
    return facts.isUsual && isOften(facts.failed, all) ? "warning" : "ok";
  },
  "beat-processes": ({ verdict }) =>
    verdict.status === "healthy" || isOfFile(verdict.reason) ? "ok" : "problem",
  "beat-schedule-file": ({ verdict, evidence }) => {
    if (verdict.status !== "healthy" && isOfFile(verdict.reason)) return "problem";
    return (evidence.only?.writtenAgoS ?? null) === null ? "skipped" : "ok";
  },
  "beat-schedule": ({ entries }) => (entries === null ? "skipped" : entries === 0 ? "warning" : "ok"),
  flower: (facts) => {
    // Behind a login page Flower may be well, but it cannot be asked.
    if (facts.kind === "login" && facts.by === "page") return "skipped";
    if (facts.kind !== "lists") return "problem";
    if (facts.missing.length > 0) return "warning";
    return facts.answering > 0 ? "ok" : "skipped";
  },
};

export function finding<C extends Code>(code: C, about: string | null, facts: Facts[C]): FindingOf<C> {
  const judged = LEVELS[code](facts);
  const [level, faults] = typeof judged === "string" ? [judged, []] : judged;
  return { code, level, faults, about, facts };
}

function isOften(failed: number, all: number): boolean {
  return failed >= SOME && failed >= all * OFTEN;
}

function limitFaults({ soft, hard, gapS, ...others }: Facts["time-limits"]): readonly Fault[] {
  const hasBoth = soft > 0 && hard > 0;
  return [
    ...(hasBoth && soft >= hard ? ["limits-turned" as const] : []),
    ...(hasBoth && soft < hard && hard - soft < gapS ? ["limits-narrow" as const] : []),
    ...(others.unenforced.length > 0 ? ["limits-unenforced" as const] : []),
    ...(others.without.length > 0 ? ["limits-without-effect" as const] : []),
  ];
}

/** Whether a beat's verdict is about its schedule file. */
function isOfFile(reason: Facts["beat-processes"]["verdict"]["reason"]): boolean {
  return reason.startsWith("schedule-");
}
