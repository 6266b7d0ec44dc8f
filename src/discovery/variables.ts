import { type BrokerUrl, brokerUrl } from "../cli/values.ts";

/** Environments in order of priority: the worker's, then our own. */
export type Environments = readonly ReadonlyMap<string, string>[];

/** A variable with a broker URL in it. It may have any name. */
export interface UrlVariable {
  readonly name: string;
  readonly url: BrokerUrl;
}

/** In characters. A longer value is not a URL or password of a broker. */
const LONGEST = 1_024;

const SCHEME = /^(?:rediss?|redis\+socket|sentinel):\/\//i;

/** The broker URLs in the variables, each once. */
export function urlsIn(environments: Environments): readonly UrlVariable[] {
  const found = new Map<string, UrlVariable>();
  for (const [name, text] of environments.flatMap((variables) => [...variables])) {
    if (text.length > LONGEST || !SCHEME.test(text) || found.has(text)) continue;
    const url = brokerUrl(text);
    if (url.ok) found.set(text, { name, url: url.value });
  }
  return [...found.values()].toSorted((a, b) => rank(a.name) - rank(b.name));
}

/** A variable with one of these words in its name is not about the broker. */
const OTHERS = /CACHE|RESULT|BACKEND|SESSION|CHANNEL|THROTTL|LIMIT/i;

/** The passwords of these variables are not sent to a broker either. */
const FOREIGN = /FLOWER|SENTINEL|_DB_|POSTGRES|SQL/i;

/** Like {@link urlsIn}, without variables whose names say that they are for something else, such as a cache. */
export function brokerUrlsIn(environments: Environments): readonly UrlVariable[] {
  return urlsIn(environments).filter(({ name }) => !OTHERS.test(name));
}

/** A user name and a password for a server. */
export interface Login {
  readonly username?: string;
  readonly password: string;
  /** The variables that hold them. */
  readonly by: readonly string[];
  /** From variables with the same beginning: `REDIS_HOST` and `REDIS_PORT` beside `REDIS_PASSWORD`. */
  readonly host?: string;
  readonly port?: number;
}

/** The most passwords that are tried. Each failure is recorded in the server's ACL LOG. */
const MOST_LOGINS = 4;

/**
 * The passwords in the worker's own variables. The name must say that the password is the broker's. Any other password
 * is a foreign secret and is never sent.
 */
export function loginsIn(variables: ReadonlyMap<string, string>): readonly Login[] {
  const named = ofBroker(variables).filter(
    ([name, value]) => value !== "" && value.length <= LONGEST && !OTHERS.test(name) && !FOREIGN.test(name),
  );
  const users = named.filter(([name]) => /USER(?:_?NAME)?$/i.test(name));
  const logins = named
    .filter(([name]) => /PASS|PWD|AUTH_?TOKEN/i.test(name) && !/_(?:FILE|PATH)$/i.test(name))
    .map(([name, password]): Login => {
      const [user] = users.filter(([other]) => stem(other) === stem(name));
      const beside = (end: RegExp) =>
        named.find(([other]) => end.test(other) && other.replace(end, "").toUpperCase() === stem(name))?.[1];
      const [server, port] = [beside(/_?HOST(?:NAME)?$/i), Number(beside(/_?PORT$/i))];
      const belongs = { ...(server === undefined ? {} : { host: server }), ...(port > 0 ? { port } : {}) };
      return user === undefined
        ? { password, by: [name], ...belongs }
        : { username: user[1], password, by: [user[0], name], ...belongs };
    });
  const distinct = new Map(logins.map((login) => [JSON.stringify([login.username, login.password]), login]));
  return [...distinct.values()].slice(0, MOST_LOGINS);
}

/** `REDIS` for both `REDIS_PASSWORD` and `REDIS_USER`. */
function stem(name: string): string {
  return name.toUpperCase().replace(/_?(?:USER(?:_?NAME)?|PASS\w*|PWD|AUTH_?TOKEN)$/, "");
}

/** The databases that variables name, the most likely first. */
export function databasesIn(environments: Environments): readonly number[] {
  const found = environments
    .flatMap(ofBroker)
    .filter(
      ([name, value]) => /(?:DB|DATABASE)(?:_?(?:NUM|NUMBER|INDEX))?$/i.test(name) && /^\d{1,4}$/.test(value),
    );
  return [...new Set(found.map(([, value]) => Number(value)))];
}

/** Paths of socket files in variables: `REDIS_SOCKET=/run/redis/redis.sock`. */
export function socketsIn(environments: Environments): readonly (readonly [name: string, path: string])[] {
  const named = environments.flatMap(ofBroker).filter(([, value]) => /^\/.{1,200}\.sock(?:et)?$/.test(value));
  return [...new Map(named.map(([name, path]) => [path, [name, path] as const])).values()];
}

/** The variables that are about the broker by their names, the most certain first. */
function ofBroker(variables: ReadonlyMap<string, string>): readonly (readonly [string, string])[] {
  return [...variables]
    .filter(([name]) => /REDIS|VALKEY|BROKER|CELERY/i.test(name) && !/^CELERY_PROBE_/.test(name))
    .toSorted(([a], [b]) => rank(a) - rank(b));
}

/** Judges by the name: variables for brokers come first; caches, results and sessions come last. */
function rank(name: string): number {
  if (OTHERS.test(name)) return 2;
  return /BROKER|CELERY/i.test(name) ? 0 : 1;
}
