import { asObject } from "../pidbox/envelope.ts";
import { isRawNumber } from "../pidbox/python-json.ts";
import type { Method } from "./methods.ts";

/** What stands in the place of a secret; Celery's own mask (celery/app/utils.py `filter_hidden_settings`). */
const MASK = "********";

/**
 * What stands in names of settings and connection parameters whose values are secrets; keys of routes and locks are
 * addresses.
 */
const SECRET =
  "(?:pass|pwd|(?<![a-z])pw(?![a-z])|secret|token|credential|(?<![a-z])creds?(?![a-z])|" +
  "(?:api|access|account|private)_?key|(?<!routing|binding|lock)[_-]key(?![\\w-])|encryption|signing|signature|" +
  "salt|cookie|bearer|webhook|connection[_-]?string|authorization|auth(?:string|entication)?(?![a-z])|" +
  "(?<![a-z])(?:dsn|sig|sas|jwt|hmac)(?![a-z]))";
const SECRET_NAME = new RegExp(SECRET, "i");

/** Whether what is called so is a secret: a setting, a variable, an option. */
export function isSecretName(name: string): boolean {
  // The shell's working folder.
  return SECRET_NAME.test(name) && !/^(?:OLD)?PWD$/.test(name);
}

/** How deep an answer is looked into; what is deeper is left out, as nothing of Celery's is. */
const DEPTH = 32;

/** Secrets that are known here and must not come back in an answer; shorter ones are words of their own. */
export const SHORTEST = 6;

/**
 * The answer without secrets, in the same form: what it says of connections and settings is masked by name, and URLs
 * and assignments in any text are masked wherever they stand. Arguments of tasks are left as they are.
 *
 * @param known passwords that the probe itself has, to be taken out of every text
 */
export function withoutSecrets(method: Method, result: unknown, known: readonly string[]): unknown {
  const inText = (text: string) => withoutKnown(maskText(text), known);
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

/** The credentials of URLs, up to the last `@` of the line: a password may hold any character. */
const CREDENTIALS = /([a-z][a-z0-9+.-]*:\/\/)([^\n]*)@/gi;

/** Where the next of several URLs begins. */
const NEXT_URL = /(?<=[\s;,'"([{=])(?=[a-z][a-z0-9+.-]*:\/\/)/i;

/** `password=…` of a query or of a connection string. */
const ASSIGNED = new RegExp(`(?<![\\w-])([\\w-]*${SECRET}[\\w-]*=)(?:'[^']*'|"[^"]*"|[^\\s&,;)'"]+)`, "gi");

/** `'password': '…'` of a dictionary as Python writes it; also where the value is a number, a list or a tuple. */
const ENTRY = new RegExp(
  `(['"][^'"\\n]*${SECRET}[^'"\\n]*['"]\\s*:\\s*)` +
    `(?:b?'(?:[^'\\\\]|\\\\.)*'|b?"(?:[^"\\\\]|\\\\.)*"|[[(][^\\])]*[\\])]|\\d+)`,
  "gi",
);

/** `X-Api-Key: …` of a header; what the next one masks keeps its first word. */
const HEADER = new RegExp(
  `(?<![\\w-])([\\w-]*${SECRET}[\\w-]*:[ \\t]+)(?!(?:Bearer|Basic|Token)\\s)[^\\s,;'"]+`,
  "gi",
);

/** What stands in a header `Authorization`. */
const AUTHORIZATION = /\b(Bearer|Basic|Token)\s+[\w.~+/=-]{4,}/gi;

/** Text with the secrets masked that its form gives away. */
export function maskText(text: string): string {
  return text
    .split(NEXT_URL)
    .map((part) =>
      part.replace(CREDENTIALS, (_, scheme: string, credentials: string) => scheme + maskedUser(credentials)),
    )
    .join("")
    .replace(ASSIGNED, `$1${MASK}`)
    .replace(ENTRY, `$1'${MASK}'`)
    .replace(HEADER, `$1${MASK}`)
    .replace(AUTHORIZATION, `$1 ${MASK}`);
}

/** A user name is kept before a password; what Celery has masked already stays as it is. */
function maskedUser(credentials: string): string {
  const [, user, password] = /^([^:/?#@\s]*):(.*)$/s.exec(credentials) ?? [];
  if (user === undefined) return `${MASK}@`;
  return /^\*+$/.test(password ?? "") ? `${credentials}@` : `${user}:${MASK}@`;
}

/** Text without the secrets that are known; short ones are words of their own, and stay. */
export function withoutKnown(text: string, known: readonly string[]): string {
  let shown = text;
  for (const secret of known.filter(({ length }) => length >= SHORTEST)) {
    for (const form of formsOf(secret)) shown = shown.replaceAll(form, MASK);
  }
  return shown;
}

/** A secret as it is, as it stands in a URL, and as it stands in JSON. */
export function formsOf(secret: string): ReadonlySet<string> {
  return new Set([secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)]);
}
