import type { Refused } from "../broker/failure.ts";
import { refusal } from "../broker/turns.ts";
import type { Reply } from "../broker/channel.ts";

/** Whether it is an answer to TYPE: one word, from Redis or a module. The `OK` of another protocol is not. */
function isType(value: unknown): value is string {
  return typeof value === "string" && /^[A-Za-z][\w-]*$/.test(value) && value !== "OK";
}

/** Why the lists may not be written to, judged by their types; null: they may be. */
export function occupation(lists: readonly string[], types: readonly Reply[]): Refused | null {
  for (const [position, key] of lists.entries()) {
    const type = types[position];
    if (!type?.ok || !isType(type.value)) return refusal("TYPE", type);
    if (type.value !== "none" && type.value !== "list") return occupied(key, type.value);
  }
  return null;
}

/** Redis' own types. Any other word comes from a module, or from a server that only pretends to be Redis. */
const TYPES = new Set(["string", "set", "zset", "hash", "stream"]);

function occupied(key: string, type: string): Refused {
  const what = TYPES.has(type) ? `a ${type}` : "something else";
  return { kind: "refused", cause: "wrong-type", command: "TYPE", detail: `${key} is ${what}` };
}
