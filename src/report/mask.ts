import { isRawNumber } from "../pidbox/envelope.ts";
import { isSecretName, maskText, withoutKnown } from "../inspect/secrets.ts";

/** What stands in the place of a secret. */
const MASK = "********";

/** Words of a command line without the secrets that their options give away. */
export function maskedWords(words: readonly string[]): readonly string[] {
  return words.map((word, at) => {
    const before = words[at - 1] ?? "";
    if (before.startsWith("-") && !before.includes("=") && isSecretName(before)) return MASK;
    const [, option = ""] = /^(--?[\w-]+)=/.exec(word) ?? [];
    return option !== "" && isSecretName(option) ? `${option}=${MASK}` : maskUrls(maskText(word));
  });
}

/** Variables whose values are names, paths, numbers and addresses, by the ends of their names. */
const TELLING_END =
  /(?:^|_)(?:TIMEOUT|LIMIT|CONCURRENCY|POOL|QUEUES?|MULTIPLIER|AUTOSCALE|LOG_?LEVEL|SCHEDULER?|INTERVAL|EXPIRES|CHILD|PORT|HOST|HOSTNAME|DB|URL|BACKEND|BROKER|SERIALIZER|SETTINGS_MODULE)(?:_(?:S|MS|SECS?|SECONDS|SIZE|FILENAME))?$/i;

/** The same, by whole names. */
const TELLING =
  /^PYTHON|^VIRTUAL_ENV$|^CELERY_(?:APP|LOADER|CONFIG_MODULE|BIN)$|^CELERY_PROBE_|^(?:TZ|LANG|LC_ALL|PATH)$/i;

/**
 * A variable's value: what its name says to be a secret is masked, and so is what it does not say to be none, but
 * numbers below 1,000 and switches.
 */
export function maskedVariable(name: string, value: string): string {
  const isTelling =
    TELLING_END.test(name) || TELLING.test(name) || /^(?:\d{1,3}|true|false|yes|no|on|off)?$/i.test(value);
  return isSecretName(name) || !isTelling ? MASK : maskUrls(maskText(value));
}

/** What stands behind the host of a web address: those of hooks have a secret there. Of brokers it is the database. */
const BEHIND_HOST = /(?<![\w+.-])(https?:\/\/[^\s/?#'"]+)[/?#][^\s'",;)}\]]+/gi;

/** Text with web addresses up to their hosts. */
export function maskUrls(text: string): string {
  return text.replace(BEHIND_HOST, `$1/${MASK}`);
}

/**
 * The secrets of an environment, to be taken out of every text: values of variables with such names, and passwords of
 * URLs, as they stand there and decoded.
 */
export function secretsIn(environment: Iterable<readonly [name: string, value: string]>): readonly string[] {
  const found = new Set<string>();
  for (const [name, value] of environment) {
    if (isSecretName(name)) found.add(value);
    for (const password of passwordsIn(value)) found.add(password);
  }
  return [...found].filter((secret) => secret !== "");
}

/** Of the URLs in a text: everything between the user's name and the last `@` in front of the host. */
export function passwordsIn(text: string): readonly string[] {
  return text.split(/[\s;,'"]+/).flatMap((part) => {
    const password = /:\/\/[^:/@]*:(.+)@/.exec(part)?.[1];
    if (password === undefined) return [];
    try {
      return [password, decodeURIComponent(password)];
    } catch {
      return [password];
    }
  });
}

/** Every text in it without secrets, names of members too. */
export function scrub(value: unknown, known: readonly string[]): unknown {
  return mapTexts(
    value,
    (text) => withoutKnown(maskText(text), known),
    (name) => withoutKnown(name, known),
  );
}

/** The same with each text changed, whatever it is a part of. */
export function mapTexts(
  value: unknown,
  ofText: (text: string) => string,
  ofName: (name: string) => string = (name) => name,
): unknown {
  if (typeof value === "string") return ofText(value);
  if (Array.isArray(value)) return value.map((one) => mapTexts(one, ofText, ofName));
  if (typeof value !== "object" || value === null || isRawNumber(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [ofName(name), mapTexts(one, ofText, ofName)]),
  );
}
