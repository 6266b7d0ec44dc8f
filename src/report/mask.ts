import { isSecretName, maskText, withoutKnown } from "../inspect/secrets.ts";

/** What stands in the place of a secret. */
const MASK = "********";

/** Words of a command line without the secrets that their options give away. */
export function maskedWords(words: readonly string[]): readonly string[] {
  return words.map((word, at) => {
    const before = words[at - 1] ?? "";
    if (before.startsWith("-") && !before.includes("=") && isSecretName(before)) return MASK;
    const [, option = ""] = /^(--?[\w-]+)=/.exec(word) ?? [];
    return option !== "" && isSecretName(option) ? `${option}=${MASK}` : maskText(word);
  });
}

/** Variables whose values are names, paths, numbers and addresses, and tell how a worker was set up. */
const TELLING =
  /TIMEOUT|LIMIT|CONCURRENCY|POOL|QUEUE|PREFETCH|AUTOSCALE|LOG_?LEVEL|SCHEDULE|INTERVAL|PORT$|HOST|_DB$|_URL$|BACKEND|BROKER|SERIALIZER|SETTINGS_MODULE|PYTHON|VIRTUAL_ENV|^CELERY_(?:APP|LOADER|CONFIG_MODULE|BIN)$|^CELERY_PROBE_|^(?:TZ|LANG|LC_ALL|PATH)$/i;

/**
 * A variable's value: what its name says to be a secret is masked, and so is what it does not say to be none, but
 * numbers below 1,000 and switches.
 */
export function maskedVariable(name: string, value: string): string {
  const isTelling = TELLING.test(name) || /^(?:\d{1,3}|true|false|yes|no|on|off)?$/i.test(value);
  return isSecretName(name) || !isTelling ? MASK : maskText(value);
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

/** Every text in it without secrets, whatever it is a part of. */
export function scrub(value: unknown, known: readonly string[]): unknown {
  if (typeof value === "string") return withoutKnown(maskText(value), known);
  if (Array.isArray(value)) return value.map((one) => scrub(one, known));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [withoutKnown(name, known), scrub(one, known)]),
  );
}
