import { hiderOfLong, hiderOfWords } from "../inspect/known-secrets.ts";
import { type Hide, MASK } from "../inspect/mask.ts";
import { maskText } from "../inspect/mask-text.ts";
import { isSecretText } from "../inspect/secret-names.ts";
import { isRawNumber } from "../pidbox/python-json.ts";

/** Words of a command line without the secrets that their options give away. */
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
 * Variables whose values are names, paths, numbers and addresses and tell how a worker was set up. The last words of
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

/** Values that can be no secret, whatever they are called: numbers below 1,000, switches, nothing. */
const HARMLESS = /^(?:\d{1,3}|true|false|yes|no|on|off|none|null)?$/i;

/** A variable's value. It is masked if its name says that it is a secret, or does not say that it is not one. */
export function maskedVariable(name: string, value: string): string {
  const isShown = !isSecretText(name, value) && (TELLING.test(name) || HARMLESS.test(value));
  return isShown ? maskedText(value) : MASK;
}

/** An address of the web; of a back end's URL (`couchdb+https`) the path is a database. */
const WEB = /(?<!\+)(?:https?|wss?):\/\//gi;

/** Characters that no URL has, and the place where the next of several begins. */
const URL_END = /[\s'"<>]|[,;](?=[a-z][a-z0-9+.-]{0,40}:\/\/)/gi;

/** Text with the paths and queries of web addresses masked: a webhook's are its password. */
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

/** Text with the secrets masked that its form gives away. */
function maskedText(text: string): string {
  return withoutWebPaths(maskText(text));
}

/**
 * The secrets of an environment, to be taken out of every text. These are values of variables with such names, except
 * switches and small numbers. They are also passwords of URLs, as they stand there and decoded.
 */
export function secretsIn(environment: Iterable<readonly [name: string, value: string]>): readonly string[] {
  const found = new Set<string>();
  for (const [name, value] of environment) {
    if (isSecretText(name, value) && !HARMLESS.test(value)) found.add(value);
    for (const password of passwordsIn(value)) found.add(password);
  }
  return [...found].filter((secret) => secret !== "");
}

/** Of the URLs in a text: everything between the user's name and the last `@` in front of the host. */
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

/** Long secrets are taken out wherever they stand, short ones where nothing else is a part of the same word. */
export function hiderOf(known: readonly string[]): Hide {
  const withoutLong = hiderOfLong(known);
  const withoutWords = hiderOfWords(known);
  return (text) => withoutWords(withoutLong(withoutWebPaths(text)));
}

/** Every text in it without secrets, whatever it is a part of. */
export function scrub(value: unknown, hide: Hide): unknown {
  return mapTexts(value, (text) => hide(maskText(text)), hide);
}

/** Of sentences and facts that were made without secrets: what they quote. */
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
