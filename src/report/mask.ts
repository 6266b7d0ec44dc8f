import { hiderOfLong, hiderOfWords } from "../inspect/known-secrets.ts";
import { type Hide, MASK } from "../inspect/mask.ts";
import { maskText } from "../inspect/mask-text.ts";
import { isSecretText } from "../inspect/secret-names.ts";
import { isRawNumber } from "../pidbox/python-json.ts";

/** The words of a command line. Values of options that name a secret are masked. */
export function maskedWords(words: readonly string[]): readonly string[] {
  return words.map((word, at) => {
    const before = words[at - 1] ?? "";
    if (before.startsWith("-") && !before.includes("=") && isSecretText(before, word)) return MASK;
    if (/^(?:-u|--(?:proxy-)?user)$/.test(before)) return maskText(`-u ${word}`).slice("-u ".length);
    const [, option = ""] = /^(--?[\w-]+)=/.exec(word) ?? [];
    return option !== "" && isSecretText(option, word.slice(option.length + 1))
      ? `${option}=${MASK}`
      : maskedText(word);
  });
}

/**
 * Variables that show how a worker was set up, with names, paths, numbers and addresses as values. The last words of
 * their names decide: a name that only begins like a setting may be anything.
 */
const TELLING = new RegExp(
  [
    "(?:TIMEOUT|LIMIT|INTERVAL)(?:_M?S|_SEC(?:ONDS)?)?$",
    "CONCURRENCY$|AUTOSCALE$|PREFETCH(?:_MULTIPLIER|_COUNT)?$|PER_CHILD$",
    "(?<![A-Z])(?:POOL(?:_SIZE)?|QUEUES?|LOG_?LEVEL|SERIALIZER|SETTINGS_MODULE|SCHEDULER?|SCHEDULE_FILENAME)$",
    "(?<![A-Z])(?:BROKER|BACKEND|TRANSPORT|URL|DB)$|(?:(?<![A-Z])|REDIS)(?:HOST(?:NAME)?|PORT)$",
    "^CELERY_(?:APP|LOADER|CONFIG_MODULE|BIN)$|^CELERY_PROBE_",
    "^PYTHON(?:[A-Z]*|_VERSION)$|^VIRTUAL_ENV$|^(?:TZ|LANG|LC_ALL|PATH)$",
  ].join("|"),
  "i",
);

/** Values that cannot be a secret, whatever the variable's name: numbers below 1,000, switches, empty text. */
const HARMLESS = /^(?:\d{1,3}|true|false|yes|no|on|off|none|null)?$/i;

/** A variable's value. It is masked if its name names a secret, or if it is not known to be harmless. */
export function maskedVariable(name: string, value: string): string {
  const isShown = !isSecretText(name, value) && (TELLING.test(name) || HARMLESS.test(value));
  return isShown ? maskedText(value) : MASK;
}

/** A web address. In a back end's URL (`couchdb+https`) the path is a database, so it does not count. */
const WEB = /(?<!\+)(?:https?|wss?):\/\//gi;

/** Characters that no URL contains, and places where the next of several URLs begins. */
const URL_END = /[\s'"<>]|[,;](?=[a-z][a-z0-9+.-]{0,40}:\/\/)/gi;

/** Text with the paths and queries of web addresses masked. In a webhook they are the password. */
function withoutWebPaths(text: string): string {
  const pieces: string[] = [];
  let written = 0;
  WEB.lastIndex = 0;
  while (WEB.test(text)) {
    const host = WEB.lastIndex;
    URL_END.lastIndex = host;
    const end = URL_END.exec(text)?.index ?? text.length;
    const inHost = text.slice(host, end).search(/[/?#]/);
    WEB.lastIndex = end;
    if (inHost === -1) continue;
    const rest = text.slice(host + inHost, end);
    const [behind = ""] = /[,;)\]}]{0,4}$/.exec(rest.slice(-4)) ?? [];
    if (rest.length - behind.length <= 1 && rest.startsWith("/")) continue;
    pieces.push(text.slice(written, host + inHost), `/${MASK}`);
    written = end - behind.length;
  }
  return pieces.join("") + text.slice(written);
}

/** Text with secrets masked that can be recognised by their form. */
function maskedText(text: string): string {
  return withoutWebPaths(maskText(text));
}

/**
 * The secrets in an environment, which are then removed from every text: values of variables that name a secret, and
 * passwords in URLs. Passwords are listed as written and decoded. Switches and small numbers are left out.
 */
export function secretsIn(environment: Iterable<readonly [name: string, value: string]>): readonly string[] {
  const found = new Set<string>();
  for (const [name, value] of environment) {
    if (isSecretText(name, value) && !HARMLESS.test(value)) found.add(value);
    for (const password of passwordsIn(value)) found.add(password);
  }
  return [...found].filter((secret) => secret !== "");
}

/**
 * The passwords of the URLs in a text. A password is everything between the user's name and the last `@` before the
 * host.
 */
export function passwordsIn(text: string): readonly string[] {
  return text.split(/[\s;,'"]+/).flatMap((part) => {
    const password = passwordIn(part);
    if (password === null) return [];
    try {
      return [password, decodeURIComponent(password)];
    } catch {
      return [password];
    }
  });
}

const USER = /[^:/@]*:/y;

function passwordIn(url: string): string | null {
  const last = url.lastIndexOf("@");
  for (let at = url.indexOf("://"); at !== -1 && at < last; at = url.indexOf("://", at + 1)) {
    USER.lastIndex = at + "://".length;
    if (USER.test(url) && USER.lastIndex < last) return url.slice(USER.lastIndex, last);
  }
  return null;
}

/** Hides long secrets everywhere. Short secrets are hidden only where they are a word of their own. */
export function hiderOf(known: readonly string[]): Hide {
  const withoutLong = hiderOfLong(known);
  const withoutWords = hiderOfWords(known);
  return (text) => withoutWords(withoutLong(withoutWebPaths(text)));
}

/** The value with the secrets in all of its texts hidden, also those with a known form. */
export function scrub(value: unknown, hide: Hide): unknown {
  return mapTexts(value, (text) => hide(maskText(text)), hide);
}

/** Hides only known secrets, for sentences and facts that are made without secrets but quote other texts. */
export function hideIn(value: unknown, hide: Hide): unknown {
  return mapTexts(value, hide, hide);
}

function mapTexts(value: unknown, inText: Hide, inName: Hide): unknown {
  if (typeof value === "string") return inText(value);
  if (Array.isArray(value)) return value.map((one) => mapTexts(one, inText, inName));
  if (typeof value !== "object" || value === null || isRawNumber(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [inName(name), mapTexts(one, inText, inName)]),
  );
}
