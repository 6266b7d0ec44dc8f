import { asObject } from "../pidbox/envelope.ts";
import { isRawNumber } from "../pidbox/python-json.ts";
import { hiderOfLong } from "./known-secrets.ts";
import { type Hide, MASK } from "./mask.ts";
import { maskText } from "./mask-text.ts";
import type { Method } from "./methods.ts";
import { maskedBlocks } from "./secret-forms.ts";
import { isSecretText, isToldName, secrecyOf } from "./secret-names.ts";

/** The depth to which an answer is read. Deeper parts are left out, because Celery's own data is not so deep. */
const DEPTH = 32;

/**
 * The answer in the same form, without secrets. Connections and settings are masked by name, URLs and assignments
 * anywhere in a text. Arguments of tasks stay as they are.
 *
 * @param known passwords that the probe itself has. They are hidden in every text
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
      // The answer of a failed method has the words of Python's exception.
      return isError(result) ? mapTexts(result, inText, false) : result;
    default:
      return method satisfies never;
  }
}

/** Whether this is the answer of a handler that raised an exception (kombu/pidbox.py `Node.handle`). */
export function isError(result: unknown): boolean {
  const object = asObject(result);
  return object !== null && typeof object["error"] === "string" && Object.keys(object).length === 1;
}

/** Only the connection is masked by name: other keys of `stats` are names of tasks, which are no secrets. */
function withoutBrokerSecrets(stats: unknown, inText: Hide): unknown {
  const object = asObject(stats);
  if (object === null) return mapTexts(stats, inText, true);
  return Object.fromEntries(
    Object.entries(object)
      // kombu leaves the password out, but an application may put it back.
      .map(([name, value]) => [name, mapTexts(value, inText, name === "broker")]),
  );
}

/** Settings whose keys are names that users chose: tasks, schedule entries, queues. */
const KEYED_BY_NAMES = /(?:^|_)(?:routes|annotations|schedule|queues)$/i;

function mapTexts(value: unknown, inText: Hide, byName: boolean, depth = 0, setting = ""): unknown {
  if (depth > DEPTH) return null;
  if (typeof value === "string") return inText(value);
  if (Array.isArray(value)) return mapList(maskedBlocks(value), inText, byName, depth);
  const object = asObject(value);
  if (object === null || isRawNumber(value)) return value;
  const isKeyedByNames = KEYED_BY_NAMES.test(setting);
  const isNamed = byName && isOfSecretValue(object);
  return mapEntries(object, inText, (name, one) => {
    if (isNamed && /^value$/i.test(name)) return maskAll(one, inText, depth + 1);
    // A task's name has dots. Some secrets have dots too (`db.password`), but these are texts.
    const isSetting = byName && !isKeyedByNames && !(name.includes(".") && asObject(one) !== null);
    return isSetting
      ? maskSetting(inContext(name, setting), one, inText, depth + 1)
      : mapTexts(one, inText, byName, depth + 1);
  });
}

/** Maps a list without blocks of secrets. Blocks in its inner lists are already masked too. */
function mapList(list: readonly unknown[], inText: Hide, byName: boolean, depth: number): unknown {
  if (depth > DEPTH) return null;
  return byName && list.length > 0 && list.every(isPair)
    ? list.map(([name, one]) => [inText(name), maskSetting(name, one, inText, depth + 2)])
    : list.map((one) =>
        Array.isArray(one)
          ? mapList(one, inText, byName, depth + 1)
          : mapTexts(one, inText, byName, depth + 1),
      );
}

/** Maps the values and hides secrets in the names: a set that JSON cannot write may have secrets as names. */
function mapEntries(
  object: Readonly<Record<string, unknown>>,
  inText: Hide,
  map: (name: string, value: unknown) => unknown,
): unknown {
  return Object.fromEntries(
    Object.entries(object).map(([name, one]) => [WORD.test(name) ? name : inText(name), map(name, one)]),
  );
}

/** No secret has this form, and most names do. */
const WORD = /^[a-z_]{1,16}$/i;

/** An entry of a dictionary that is written as a list: `[["password", …], …]`. */
function isPair(value: unknown): value is readonly [string, unknown] {
  return Array.isArray(value) && value.length === 2 && typeof value[0] === "string";
}

/** Settings whose `key` is a secret, not an address: `{"encryption": {"key": …}}`. */
const OF_KEYS = /crypt|fernet|cipher|sign|api|auth|token|secret|hmac|jwt|licen[cs]e|stripe|aws|s3/i;

function inContext(name: string, setting: string): string {
  return /^keys?$/i.test(name) && OF_KEYS.test(setting) ? "secret_key" : name;
}

/** Whether this is `{"name": "password", "value": …}`, in lower or upper case. */
function isOfSecretValue(object: Readonly<Record<string, unknown>>): boolean {
  return Object.entries(object).some(
    ([of, name]) => /^(?:name|key)$/i.test(of) && typeof name === "string" && secrecyOf(name) === "secret",
  );
}

function maskSetting(name: string, value: unknown, inText: Hide, depth: number): unknown {
  switch (secrecyOf(name)) {
    case "none":
      return mapTexts(value, inText, true, depth, name);
    case "secret":
      return maskAll(value, inText, depth);
    case "told":
      // Such a name describes one text or one list. A dictionary has many values.
      return asObject(value) === null || isRawNumber(value)
        ? maskTold(name, value, inText, depth)
        : maskAll(value, inText, depth);
  }
}

/** The value of a name like `PASSWORD_HASHERS`. Texts that do not fit the name are masked. */
function maskTold(name: string, value: unknown, inText: Hide, depth: number): unknown {
  if (depth > DEPTH) return null;
  if (typeof value === "string") return isSecretText(name, value) ? MASK : inText(value);
  if (Array.isArray(value)) return value.map((one) => maskTold(name, one, inText, depth + 1));
  const object = asObject(value);
  if (object === null || isRawNumber(value)) return value;
  return mapEntries(object, inText, (key, one) =>
    secrecyOf(key) === "secret" ? maskAll(one, inText, depth + 1) : maskTold(name, one, inText, depth + 1),
  );
}

/**
 * Masks everything that may be a secret. Empty values, switches and harmless settings inside it stay (`SIMPLE_JWT`).
 */
function maskAll(value: unknown, inText: Hide, depth: number): unknown {
  if (value === null || typeof value === "boolean" || value === "") return value;
  if (depth > DEPTH) return MASK;
  if (Array.isArray(value)) return value.map((one) => maskAll(one, inText, depth + 1));
  const object = asObject(value);
  if (object === null || isRawNumber(value)) return MASK;
  return mapEntries(object, inText, (name, one) =>
    /^[A-Z][A-Z_]+$/.test(name) && isToldName(name) && asObject(one) === null
      ? maskTold(`SECRET_${name}`, one, inText, depth + 1)
      : maskAll(one, inText, depth + 1),
  );
}
