import { EFFECTS } from "../celery/line-kinds.ts";
import type { Code, Facts, Fault, FindingOf, Level } from "./finding.ts";

/** More than this share of its limit is a warning: of a broker's memory, and of a container's. */
const FULL = 0.9;

/** Of the machine's memory less than this share is left: a warning. */
const SCARCE = 0.05;

/** A worker so young, in seconds, in a container that is older by so much, has been restarted a moment ago. */
const YOUNG_S = 600;
const OLDER_S = 300;

/** A prefork main that uses this share of a core hands out tasks as fast as it can. */
const BUSY = 0.9;

/** A worker that takes less of a core has not been held back itself; the clock of /proc has hundredths of a second. */
const IDLE = 0.01;

/** A task is over its limit by more than this, in seconds: clocks differ, and pools look once a second. */
const MARGIN_S = 5;

/** The last message of a queue whose slots are all held may have to wait for so long, in seconds, before it is a warning. */
const PATIENCE_S = 180;

/** Celery's default of worker_prefetch_multiplier. */
const USUAL_PREFETCH = 4;

/** So many failing tasks, and this share of all, are a warning. */
const SOME = 5;
const OFTEN = 0.1;

/** A level, and by what where there are several faults to be. */
type Judged = Level | readonly [Level, readonly Fault[]];

/**
 * How bad each finding is, by its facts alone; nothing else of the doctor decides that. Only what was seen is `ok`:
 * anything unexamined is `skipped`.
 */
export const LEVELS: { readonly [C in Code]: (facts: Facts[C]) => Judged } = {
  broker: ({ failure, follows }) => {
    if (failure !== null) return "problem";
    // One that may be written loses that when it follows its primary anew.
    return follows === null ? "ok" : "warning";
  },
  "broker-name": () => "warning",
  "broker-memory": ({ used, limit, policy, evicted }) => {
    if (limit === null) return "ok";
    // Results may expire, and tasks and bindings never do: `volatile-…` throws none of these away.
    if (evicted > 0 && policy?.startsWith("allkeys") === true) return ["problem", ["may-evict"]];
    if (policy !== null && policy !== "noeviction") return ["warning", ["may-evict"]];
    return used > limit * FULL ? "warning" : "ok";
  },
  worker: ({ check: { verdict } }) => {
    if (verdict.status !== "healthy") return "problem";
    // A worker that is healthy without answering is what its users complain of.
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
    // By its CPU limit; what holds the container back may be this doctor's own work.
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
    // A worker in a container may well be told to log to /dev/stdout, which is a pipe.
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
    // Of any name nothing waits in a database that nobody uses.
    return facts.isUsed || (facts.kind === "told" && facts.length > 0) ? "ok" : "skipped";
  },
  "queues-consumed": (facts) => {
    if (facts.kind === "nobody-says") return "skipped";
    if (facts.kind === "idle") return facts.waiting.length > 0 ? "problem" : "warning";
    // One that says nothing may consume it.
    if (facts.kind === "unconsumed") return facts.silent === 0 ? "problem" : "skipped";
    return facts.search?.isWhole !== false && facts.unmeasured === 0 ? "ok" : "skipped";
  },
  throughput: (facts) => {
    if (facts.kind !== "measured") return "skipped";
    const { growth, finished, length, lengthBefore, busy } = facts;
    if (growth <= 0) return "ok";
    if (busy === null) return "skipped";
    // Where enough has waited all the time and tasks finish, a free slot is one between two tasks.
    const isFull = busy.active >= busy.slots || (finished > 0 && lengthBefore > busy.slots);
    // Not before more waits than all children take at once: some tasks at one time are no trend.
    return isFull && length > busy.slots ? "warning" : "ok";
  },
  standstill: ({ length, slots, free, overS, youngest, rated }) => {
    if (free === 0)
      return youngest !== null && ((youngest.ageS + overS) * length) / slots > PATIENCE_S
        ? ["warning", ["slots-held"]]
        : "ok";
    if (rated === null) return "skipped";
    if (rated.deliveries === 0) return ["problem", ["slots-free"]];
    return rated.deliveries + length > rated.perHour ? ["warning", ["slow-rate"]] : "ok";
  },
  // A client names a queue, and Celery goes by the exchange only where it is no direct one.
  "queue-binding": ({ type }) => (type === "direct" ? "warning" : "problem"),
  elsewhere: () => "warning",
  // One that says nothing may read them.
  "priority-lists": ({ silent }) => (silent === 0 ? "problem" : "skipped"),
  tasks: ({ kind }) => (kind === "told" || kind === "more" ? "ok" : "skipped"),
  "task-age": (facts) => {
    if (facts.kind === "nobody-says") return "skipped";
    if (facts.kind === "fine") return facts.unjudged === 0 ? "ok" : "skipped";
    const { task, hardS, isOwn, mostS, lax } = facts;
    if (hardS !== null && hardS > 0 && task.ageS > hardS + MARGIN_S) {
      // One that its pool should have ended may have been sent with a longer limit, which nothing shows.
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
    // Where not every worker says what it runs, a late task may run, acknowledged at its end.
    if (late > 0) return silent === 0 ? "warning" : "skipped";
    return unacked > 0 || isTold ? "ok" : "skipped";
  },
  "failed-results": (facts) => {
    if (facts.kind === "unusable") return facts.isBrokers ? "skipped" : "warning";
    // Without a readable result, nothing says that no task has failed.
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
    // Where people sign in it may be well: it cannot be asked.
    if (facts.kind === "login" && facts.by === "page") return "skipped";
    if (facts.kind !== "lists") return "problem";
    if (facts.missing.length > 0) return "warning";
    return facts.answering > 0 ? "ok" : "skipped";
  },
};

/** Makes a finding: its level follows from its facts. */
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
