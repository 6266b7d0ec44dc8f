import { asObject } from "../pidbox/envelope.ts";
import { isRawNumber } from "../pidbox/python-json.ts";
import { hiderOfLong } from "./known-secrets.ts";
import { MASK } from "./mask.ts";
import { maskText } from "./mask-text.ts";
import type { Method } from "./methods.ts";
import { isSecretName } from "./secret-names.ts";

/** How deep an answer is looked into; what is deeper is left out, as nothing of Celery's is. */
const DEPTH = 32;

/**
 * The answer without secrets, in the same form: what it says of connections and settings is masked by name, and URLs
 * and assignments in any text are masked wherever they stand. Arguments of tasks are left as they are.
 *
 * @param known passwords that the probe itself has, to be taken out of every text
 */
export function withoutSecrets(method: Method, result: unknown, known: readonly string[]): unknown {
  const withoutKnown = hiderOfLong(known);
  const inText = (text: string) => withoutKnown(maskText(text));
  switch (method) {
    case "conf":
      return mapTexts(result, inText, true);
    case "stats":
      return withoutBrokerSecrets(result, inText);
    case "report":
    case "registered":
      return mapTexts(result, inText, false);
    case "ping":
    case "clock":
    case "active_queues":
    case "active":
    case "reserved":
    case "scheduled":
    case "revoked":
    case "query_task":
      // Of a method that has failed, the words of Python's exception.
      return isError(result) ? mapTexts(result, inText, false) : result;
    default:
      return method satisfies never;
  }
}

/** What a handler that raised an exception answers (kombu/pidbox.py `Node.handle`). */
export function isError(result: unknown): boolean {
  const object = asObject(result);
  return object !== null && typeof object["error"] === "string" && Object.keys(object).length === 1;
}

/** Names of tasks are keys of `stats` as well, and no secrets: only the connection is masked by name. */
function withoutBrokerSecrets(stats: unknown, inText: (text: string) => string): unknown {
  const object = asObject(stats);
  if (object === null) return mapTexts(stats, inText, true);
  return Object.fromEntries(
    Object.entries(object)
      // kombu leaves the password out; who puts it back in has no use for it here.
      .map(([name, value]) => [name, mapTexts(value, inText, name === "broker")]),
  );
}

function mapTexts(value: unknown, inText: (text: string) => string, byName: boolean, depth = 0): unknown {
  if (depth > DEPTH) return null;
  if (typeof value === "string") return inText(value);
  if (Array.isArray(value)) return value.map((one) => mapTexts(one, inText, byName, depth + 1));
  const object = asObject(value);
  if (object === null || isRawNumber(value)) return value;
  return Object.fromEntries(
    Object.entries(object).map(([name, one]) => [
      name,
      byName && isSecretName(name) ? maskAll(one, depth + 1) : mapTexts(one, inText, byName, depth + 1),
    ]),
  );
}

/** Everything in it but what can be no secret: nothing, yes and no. */
function maskAll(value: unknown, depth: number): unknown {
  if (value === null || typeof value === "boolean" || value === "" || depth > DEPTH) return value ?? null;
  if (Array.isArray(value)) return value.map((one) => maskAll(one, depth + 1));
  const object = asObject(value);
  if (object === null || isRawNumber(value)) return MASK;
  return Object.fromEntries(Object.entries(object).map(([name, one]) => [name, maskAll(one, depth + 1)]));
}
