import { failure, type Outcome, success } from "../outcome.ts";
import { similarTo } from "../slips.ts";
import type { Question } from "../pidbox/message.ts";

/** What can be asked, as the wire calls it. */
export type Method = Question["method"];

/**
 * What an answer may hold (celery/worker/control.py). `harmless`: only data that Celery makes itself. `described`:
 * arguments of tasks, which workers from Celery 5.2 on describe as text. `raw`: arguments as sent. If they cannot be
 * serialised, the answer fails, and many workers lose their remote control or stop working.
 */
export type Content = "harmless" | "described" | "raw";

/** What is known of a method before it is asked. */
interface MethodFacts {
  readonly content: Content;
  /** One line for the help. */
  readonly summary: string;
  /** How the words behind it are written; none: it takes only options. */
  readonly words?: string;
}

/** Every method, in the order of the documentation. `revoked` holds ids alone, but as many as were ever revoked. */
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

/** Celery's older names of the same. */
const ALIASES: ReadonlyMap<string, Method> = new Map([
  ["dump_active", "active"],
  ["dump_reserved", "reserved"],
  ["dump_schedule", "scheduled"],
  ["dump_revoked", "revoked"],
  ["dump_tasks", "registered"],
  ["dump_conf", "conf"],
]);

/** What Celery knows and makes workers do something: none of it can be sent from here. */
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

/** Inspect commands that leave something behind on the worker: a file, samples, another clock. */
const MEDDLING: ReadonlySet<string> = new Set(["hello", "memdump", "memsample", "objgraph"]);

/** What is wrong with the words behind `inspect`. */
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

/** The options that belong to one method, and to which. */
const OWNERS = { "with-defaults": "conf", all: "conf", builtins: "registered" } as const satisfies Readonly<
  Record<string, Method>
>;

type MethodOption = keyof typeof OWNERS;

export type MethodOptions = Readonly<Record<MethodOption, boolean>>;

/** What the words behind `inspect` ask for. */
export interface Wanted {
  readonly question: Question;
  /** The one setting of `conf` to show, by any of its names; null: all of them. */
  readonly setting: string | null;
}

/** Reads the words behind `inspect`. */
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

/** `celery inspect conf true` asks for the defaults too (celery/utils/serialization.py `strtobool`). */
const CELERYS_SWITCH = /^(?:true|false|yes|no|on|off|[01])$/i;

function wanted(question: Question, setting: string | null = null): Outcome<Wanted, WordProblem> {
  return success({ question, setting });
}
