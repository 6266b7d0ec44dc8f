import { failure, type Outcome, success } from "../outcome.ts";
import { similarTo } from "../slips.ts";
import type { Question } from "../pidbox/message.ts";

/** Methods that can be asked, by their names on the wire. */
export type Method = Question["method"];

/**
 * What an answer may contain (celery/worker/control.py). `harmless`: only data that Celery makes itself. `described`:
 * arguments of tasks, which workers from Celery 5.2 on describe as text. `raw`: arguments as sent. If they cannot be
 * serialised, the answer fails, and many workers lose their remote control or stop working.
 */
export type Content = "harmless" | "described" | "raw";

/** What is known about a method. */
interface MethodFacts {
  readonly content: Content;
  /** One line for the help. */
  readonly summary: string;
  /** The words that may follow it. Absent: it takes only options. */
  readonly words?: string;
}

/**
 * Every method, in the order of the documentation. An answer to `revoked` contains only ids, but it may contain all ids
 * ever revoked.
 */
const FACTS: { readonly [M in Method]: MethodFacts } = {
  ping: { content: "harmless", summary: "show which workers answer" },
  active: { content: "described", summary: "show running tasks with id, age and arguments" },
  active_queues: { content: "harmless", summary: "show the queues that each worker consumes" },
  stats: { content: "harmless", summary: "show process, pool, memory and number of tasks" },
  registered: {
    content: "harmless",
    summary: "show known tasks, with ITEMs such as rate_limit",
    words: "[ITEM]…",
  },
  clock: { content: "harmless", summary: "show the logical clock of each worker" },
  report: { content: "harmless", summary: "show versions and settings, as for a bug report" },
  conf: {
    content: "harmless",
    summary: "show the settings of Celery; NAME shows only one",
    words: "[NAME]",
  },
  reserved: { content: "raw", summary: "show fetched tasks that have not started" },
  scheduled: { content: "raw", summary: "show tasks that wait for their ETA or countdown" },
  revoked: { content: "raw", summary: "show the ids of revoked tasks" },
  query_task: { content: "raw", summary: "show where these tasks are, and what they are", words: "ID…" },
};

export const METHODS = Object.keys(FACTS) as readonly Method[];

export function methodFacts(method: Method): MethodFacts {
  return FACTS[method];
}

/** Celery's older names for these methods. */
const ALIASES: ReadonlyMap<string, Method> = new Map([
  ["dump_active", "active"],
  ["dump_reserved", "reserved"],
  ["dump_schedule", "scheduled"],
  ["dump_revoked", "revoked"],
  ["dump_tasks", "registered"],
  ["dump_conf", "conf"],
]);

/** Celery's commands that change workers. None of them can be sent from here. */
const CHANGING: ReadonlySet<string> = new Set([
  "add_consumer",
  "autoscale",
  "cancel_consumer",
  "disable_events",
  "election",
  "enable_events",
  "heartbeat",
  "pool_grow",
  "pool_restart",
  "pool_shrink",
  "purge",
  "rate_limit",
  "revoke",
  "revoke_by_stamped_headers",
  "shutdown",
  "terminate",
  "time_limit",
]);

/** Inspect commands that change the worker: they write a file, take samples or set its clock. */
const MEDDLING: ReadonlySet<string> = new Set(["hello", "memdump", "memsample", "objgraph"]);

/** What is wrong with the words after `inspect`. */
export type WordProblem =
  | { readonly kind: "none" }
  | {
      readonly kind: "unknown" | "changing" | "meddling";
      readonly word: string;
      readonly meant: string | null;
    }
  | { readonly kind: "surplus"; readonly method: Method; readonly word: string }
  | { readonly kind: "no-ids" }
  | { readonly kind: "stray-option"; readonly option: MethodOption; readonly of: Method }
  | { readonly kind: "needless-option"; readonly option: MethodOption; readonly setting: string };

/** Options that belong to only one method. */
const OWNERS = { "with-defaults": "conf", all: "conf", builtins: "registered" } as const satisfies Readonly<
  Record<string, Method>
>;

type MethodOption = keyof typeof OWNERS;

export type MethodOptions = Readonly<Record<MethodOption, boolean>>;

/** The question in the words after `inspect`. */
export interface Wanted {
  readonly question: Question;
  /** The single setting of `conf` to show, by any of its names. Null: all settings. */
  readonly setting: string | null;
}

export function readWords(
  [word, ...rest]: readonly string[],
  options: MethodOptions,
): Outcome<Wanted, WordProblem> {
  if (word === undefined) return failure({ kind: "none" });
  const method = METHODS.find((one) => one === word) ?? ALIASES.get(word);
  if (method === undefined) {
    const kind = CHANGING.has(word) ? "changing" : MEDDLING.has(word) ? "meddling" : "unknown";
    return failure({ kind, word, meant: similarTo(word, METHODS) });
  }
  const given = (Object.keys(OWNERS) as readonly MethodOption[]).filter((option) => options[option]);
  const stray = given.find((option) => OWNERS[option] !== method);
  if (stray !== undefined) return failure({ kind: "stray-option", option: stray, of: OWNERS[stray] });
  const [first = null] = rest;
  switch (method) {
    case "registered":
      return wanted({ method, taskInfo: rest, builtins: options.builtins });
    case "query_task":
      return first === null ? failure({ kind: "no-ids" }) : wanted({ method, ids: rest });
    case "conf": {
      const surplus = rest.find((one, at) => at > 0 || CELERYS_SWITCH.test(one));
      if (surplus !== undefined) return failure({ kind: "surplus", method, word: surplus });
      const [needless] = given;
      if (first !== null && needless !== undefined)
        return failure({ kind: "needless-option", option: needless, setting: first });
      return wanted({ method, withDefaults: first !== null || options["with-defaults"] }, first);
    }
    default:
      return first === null ? wanted({ method }) : failure({ kind: "surplus", method, word: first });
  }
}

/** `celery inspect conf true` also asks for the defaults (celery/utils/serialization.py `strtobool`). */
const CELERYS_SWITCH = /^(?:true|false|yes|no|on|off|[01])$/i;

function wanted(question: Question, setting: string | null = null): Outcome<Wanted, WordProblem> {
  return success({ question, setting });
}
