import { failure, type Outcome, success } from "../outcome.ts";
import type { Question } from "../pidbox/message.ts";

/** What can be asked, as the wire calls it. */
export type Method = Question["method"];

/**
 * What an answer may hold (celery/worker/control.py). `harmless`: nothing but what Celery makes itself. `described`:
 * arguments of tasks, which workers from Celery 5.2 on describe in words of their own. `raw`: what tasks were sent with;
 * where it cannot be serialised the worker's answer fails, which costs many of them their remote control, or all work.
 */
export type Content = "harmless" | "described" | "raw";

/** Every method, in the order of the documentation. `revoked` holds ids alone, but as many as were ever revoked. */
export const CONTENT: { readonly [M in Method]: Content } = {
  ping: "harmless",
  active: "described",
  active_queues: "harmless",
  stats: "harmless",
  registered: "harmless",
  clock: "harmless",
  report: "harmless",
  conf: "harmless",
  reserved: "raw",
  scheduled: "raw",
  revoked: "raw",
  query_task: "raw",
};

export const METHODS = Object.keys(CONTENT) as readonly Method[];

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
  | { readonly kind: "unknown" | "changing" | "meddling"; readonly word: string }
  | { readonly kind: "surplus"; readonly method: Method; readonly word: string }
  | { readonly kind: "no-ids" }
  | { readonly kind: "stray-option"; readonly option: "with-defaults" | "builtins"; readonly of: Method };

/** Options that belong to one method. */
export interface MethodOptions {
  readonly withDefaults: boolean;
  readonly builtins: boolean;
}

/** Makes the question of the words behind `inspect`. */
export function readQuestion(
  [word = "", ...rest]: readonly string[],
  { withDefaults, builtins }: MethodOptions,
): Outcome<Question, WordProblem> {
  const method = METHODS.find((one) => one === word) ?? ALIASES.get(word);
  if (method === undefined) {
    const kind = CHANGING.has(word) ? "changing" : MEDDLING.has(word) ? "meddling" : "unknown";
    return failure({ kind, word });
  }
  if (withDefaults && method !== "conf")
    return failure({ kind: "stray-option", option: "with-defaults", of: "conf" });
  if (builtins && method !== "registered")
    return failure({ kind: "stray-option", option: "builtins", of: "registered" });
  switch (method) {
    case "registered":
      return success({ method, taskInfo: rest, builtins });
    case "query_task":
      return rest.length === 0 ? failure({ kind: "no-ids" }) : success({ method, ids: rest });
    default: {
      const [surplus] = rest;
      if (surplus !== undefined) return failure({ kind: "surplus", method, word: surplus });
      return success(method === "conf" ? { method, withDefaults } : { method });
    }
  }
}
