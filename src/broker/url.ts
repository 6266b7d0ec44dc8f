import { failure, type Outcome, success } from "../outcome.ts";

/** Where the broker is and who we are there. */
export interface BrokerTarget {
  readonly host: string;
  readonly port: number;
  /** The number that SELECT takes, and that stands in the control channel's name. */
  readonly db: number;
  readonly username?: string;
  readonly password?: string;
}

const EXPECTED = "expected redis://[user:password@]host[:port][/database]";
const CODES = "expected %-codes for / ? # @ in a password";
const DEFAULT_HOST = "127.0.0.1";
const DEFAULT_PORT = 6379;

/** Schemes that are a Redis broker to kombu, and not yet to us. */
const LATER_SCHEMES = new Set(["rediss", "redis+socket", "sentinel"]);

/** Query keys that kombu hands to the connection; none of them changes which Redis is meant. */
const CONNECTION_KEYWORDS = new Set(["connect_timeout", "heartbeat", "login_method", "transport_options"]);

/**
 * Reads a broker URL as kombu does (kombu/utils/url.py `url_to_parts`, kombu/transport/redis.py `_connparams`):
 * host lower-cased, credentials percent-decoded, the last `@` ends the credentials, an empty path is database 0.
 *
 * A problem is a phrase that follows the quoted URL in a sentence: `has port 99999: expected 1 to 65535`. It repeats
 * no part of the URL but numbers: in a URL that cannot be read, any part may be a piece of the password.
 */
export function parseBrokerUrl(given: string): Outcome<BrokerTarget, string> {
  const url = withoutLineEnds(given);
  const scheme = /^([^:/?#]*):\/\//.exec(url);
  if (scheme === null) return failure(`is not a URL: ${EXPECTED}`);
  const name = (scheme[1] ?? "").toLowerCase();
  if (LATER_SCHEMES.has(name))
    return failure(`has scheme '${name}', not supported by this version: ${EXPECTED}`);
  if (name !== "redis") return failure(`is not a Redis broker: ${EXPECTED}`);
  if (url.includes(";")) return failure(`is a list of brokers, not supported by this version: ${EXPECTED}`);

  const rest = url.slice(scheme[0].length);
  const end = rest.search(/[/?#]/);
  const authority = end === -1 ? rest : rest.slice(0, end);
  const [path = "", query = ""] = (end === -1 ? "" : rest.slice(end)).split("#", 1)[0]?.split("?", 2) ?? [];

  // It would be a password with a raw / ? or #; what kombu makes of that is never what was meant.
  if (rest.slice(authority.length).includes("@")) return failure(`has an @ behind its host: ${CODES}`);

  const at = authority.lastIndexOf("@");
  const place = parseHostAndPort(authority.slice(at + 1));
  if (!place.ok) return place;
  const db = parseDatabase(path);
  if (!db.ok) return db;
  const refused = refusedParameter(query);
  if (refused !== null) return failure(refused);
  const credentials = at === -1 ? {} : parseCredentials(authority.slice(0, at));
  return success({ ...place.value, db: db.value, ...credentials });
}

/** As Python's `urlsplit`: a secret that was written with `echo`, or on Windows, ends in them. */
export function withoutLineEnds(url: string): string {
  return url.replace(/[\t\r\n]/g, "");
}

function parseHostAndPort(text: string): Outcome<{ host: string; port: number }, string> {
  const parts = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/.exec(text);
  if (parts === null) return failure(`has no readable host: ${EXPECTED}`);
  const host = (parts[1] ?? "").replace(/^\[|\]$/g, "").toLowerCase();
  const port = parts[2] ?? "";
  if (/\s/.test(host)) return failure(`has a blank in its host: ${EXPECTED}`);
  if (port === "") return success({ host: unquote(host) || DEFAULT_HOST, port: DEFAULT_PORT });
  // What is no number may be the rest of a password with a raw '/', '?' or '#' in it: it is not repeated.
  if (!/^\d+$/.test(port)) {
    return failure(`has a port that is not a number: ${CODES}, and a port from 1 to 65535`);
  }
  const number = Number(port);
  if (number < 1 || number > 65535) return failure(`has port ${port}: expected 1 to 65535`);
  return success({ host: unquote(host) || DEFAULT_HOST, port: number });
}

function parseDatabase(path: string): Outcome<number, string> {
  const text = unquote(path.replace(/^\/{1,2}/, "")).trim();
  if (text === "") return success(0);
  if (!/^\d{1,9}$/.test(text)) return failure("has a database that is not a number: expected 0 or more");
  return success(Number(text));
}

function parseCredentials(text: string): { username?: string; password?: string } {
  const colon = text.indexOf(":");
  const username = unquote(colon === -1 ? text : text.slice(0, colon));
  const password = colon === -1 ? "" : unquote(text.slice(colon + 1));
  return { ...(username === "" ? {} : { username }), ...(password === "" ? {} : { password }) };
}

function refusedParameter(query: string): string | null {
  for (const pair of query.split("&")) {
    const key = unquote(pair.split("=", 1)[0] ?? "");
    if (key === "" || CONNECTION_KEYWORDS.has(key)) continue;
    if (key.startsWith("ssl_")) return `asks for TLS by ssl_…, not supported by this version: ${EXPECTED}`;
    return `has a parameter that kombu refuses in a redis:// URL: ${EXPECTED}`;
  }
  return null;
}

/** Percent-decoding that leaves a stray `%` alone, as Python's `urllib.parse.unquote` does. */
function unquote(text: string): string {
  return text.replace(/(?:%[0-9a-f]{2})+/gi, (codes) =>
    Buffer.from(codes.replaceAll("%", ""), "hex").toString("utf8"),
  );
}

const MASK = "***";

/**
 * The URL with every secret masked, fit to be printed; also for texts that are no URL or a broken one.
 *
 * A user name is kept only before a password. Text after the host that is no port number is masked too: it is
 * what a password with a raw `/` or a forgotten `@` leaves there. Query values are masked.
 */
export function redact(url: string): string {
  const text = withoutLineEnds(url);
  const scheme = /^[^:/?#@]+:\/\//.exec(text)?.[0] ?? "";
  const rest = text.slice(scheme.length);
  const at = rest.lastIndexOf("@");
  const user = at === -1 ? "" : `${maskedCredentials(rest.slice(0, at))}@`;
  const place = rest
    .slice(at + 1)
    .replace(/^(\[[^\]]*\]|[^:/?#[]*):(?!\d*(?:[/?#]|$)).*$/s, `$1:${MASK}`)
    .replace(/#.*$/s, `#${MASK}`)
    .replace(/([?&])([^=&#]*)(=?)[^&#]*/g, (_, mark: string, key: string, equals: string) =>
      equals === "" ? `${mark}${MASK}` : `${mark}${key}=${MASK}`,
    );
  return scheme + user + place;
}

function maskedCredentials(text: string): string {
  const user = /^([^:/?#@]*):/.exec(text)?.[1];
  return user === undefined ? MASK : `${user}:${MASK}`;
}

/** Where the broker is if nobody says: a Redis on this machine. */
export const DEFAULT_BROKER_URL = `redis://${DEFAULT_HOST}:${DEFAULT_PORT}/0`;
