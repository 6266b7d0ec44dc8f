import { failure, type Outcome, success } from "../outcome.ts";
import { slipIn, slipOf } from "./url-slips.ts";
import { cutUrl, EXPECTED, strayPart, type UrlParts } from "./url-parts.ts";
import { readTls, type TlsWish, UNVERIFIED } from "./url-tls.ts";

/** A server's place: a TCP port, or a socket file of this machine. */
export type Place =
  | {
      readonly kind: "tcp";
      readonly host: string;
      readonly port: number;
      /** Which of the host's addresses to use; absent: any that answers. */
      readonly address?: string;
    }
  | { readonly kind: "socket"; readonly path: string };

/** The broker's place and our login there. */
export interface BrokerTarget {
  readonly place: Place;
  /** The number for SELECT. It is also in the control channel's name. */
  readonly db: number;
  readonly username?: string;
  readonly password?: string;
  /** null: no TLS. */
  readonly tls: TlsWish | null;
}

/** The place of a Sentinel. */
export interface SentinelPlace {
  readonly host: string;
  readonly port: number;
}

/** What a broker URL means: servers in the order in which kombu tries them, or Sentinels that know the server. */
export type Broker =
  | { readonly kind: "servers"; readonly servers: readonly [BrokerTarget, ...BrokerTarget[]] }
  | {
      readonly kind: "sentinel";
      readonly sentinels: readonly SentinelPlace[];
      readonly master: Omit<BrokerTarget, "place">;
    };

const EXPECTED_SOCKET = "expected redis+socket:///path?virtual_host=database";
const DEFAULT_HOST = "127.0.0.1";
const DEFAULT_PORT = 6379;
const DEFAULT_SENTINEL_PORT = 26379;

type Scheme = "redis" | "rediss" | "redis+socket" | "sentinel";

/** Wrong schemes, and what to write instead of each. */
const INSTEAD: ReadonlyMap<string, string> = new Map([
  ["valkey", "redis://"],
  ["valkeys", "rediss://"],
  ["redis+tls", "rediss://"],
  ["redis+ssl", "rediss://"],
  ["unix", "redis+socket:///path"],
  ["socket", "redis+socket:///path"],
  ["redis+unix", "redis+socket:///path"],
  ["rediss+socket", "redis+socket:///path"],
  ["redis+sentinel", "sentinel://"],
  ["rediss+sentinel", "sentinel://"],
  ["redis-sentinel", "sentinel://"],
  ["sentinels", "sentinel://"],
]);

/** kombu has no transport for a cluster. */
const CLUSTER = /^rediss?[+-]?cluster$/;

/** Query keys that kombu passes to the connection. None of them changes which Redis is meant. */
const CONNECTION_KEYWORDS = new Set(["connect_timeout", "heartbeat", "insist", "login_method"]);

/**
 * Query keys of a socket. redis-py takes them as text, or kombu replaces their value. None of them changes which Redis
 * is meant.
 */
const SOCKET_KEYWORDS = new Set([
  "client_name",
  "db",
  "encoding",
  "encoding_errors",
  "host",
  "password",
  "port",
  "protocol",
  "retry_on_timeout",
  "socket_connect_timeout",
  "socket_keepalive",
  "socket_keepalive_options",
  "username",
]);

/**
 * Reads a broker URL as kombu does: kombu/utils/url.py `parse_url`, kombu/connection.py `Connection.__init__` and
 * `switch`, kombu/transport/redis.py `_connparams` and `_sentinel_managed_pool`.
 *
 * The servers of a list are kombu's first round. Each has the settings that kombu gives it after the earlier ones have
 * failed. An alternate has its own credentials or none. It takes a missing port or database from the one before it. It
 * takes TLS from the first one, unless it has its own `ssl_…`. An alternate without a scheme is the first one on
 * another host.
 *
 * A problem is a phrase that follows the quoted URL in a sentence: `has port 99999: expected 1 to 65535`. It repeats
 * numbers, names of parameters after a host, and what url-slips.ts knows. In an unreadable URL, any other part may be a
 * piece of the password.
 */
export function parseBrokerUrl(given: string): Outcome<Broker, string> {
  const [text = "", ...others] = given.split(";");
  const first = parseUrl(text);
  if (!first.ok) return others.length === 0 ? first : failure(inList(0, first.problem));
  const alternates: Alternate[] = [];
  for (const [position, other] of others.entries()) {
    const alternate = parseAlternate(other, first.value.scheme);
    if (!alternate.ok) return failure(inList(position + 1, alternate.problem));
    alternates.push(alternate.value);
  }
  return success(
    first.value.scheme === "sentinel"
      ? sentinelBroker(first.value, alternates)
      : { kind: "servers", servers: serversInTurn(first.value, alternates) },
  );
}

/** Removes line ends as Python's `urlsplit` does. A secret that was written with `echo`, or on Windows, ends in one. */
export function withoutLineEnds(url: string): string {
  return url.replace(/[\t\r\n]/g, "");
}

const ORDINALS = ["first", "second", "third"];

function inList(position: number, problem: string): string {
  return `is a list whose ${ORDINALS[position] ?? `${position + 1}th`} URL ${problem}`;
}

/** One URL of a list. Missing parts are undefined. */
interface Wish extends Omit<UrlParts, "path" | "query"> {
  readonly scheme: Scheme;
  /** The socket's path. */
  readonly socket: string | undefined;
  readonly db: number | undefined;
  /** null: the URL does not say it. */
  readonly tls: TlsWish | null;
}

/** Another URL, or the first one on another host. */
type Alternate = Wish | { readonly scheme: null; readonly host: string | undefined };

function parseUrl(text: string): Outcome<Wish, string> {
  const slip = slipOf(text);
  if (slip !== null) return failure(slip);
  const mark = /^([^:/?#]*):\/\//.exec(text);
  if (mark === null) return failure(`is not a URL: ${EXPECTED}`);
  const scheme = parseScheme(mark[1] ?? "");
  if (!scheme.ok) return scheme;
  const parts = cutUrl(withoutLineEnds(text.slice(mark[0].length)));
  if (!parts.ok) return parts;
  return scheme.value === "redis+socket" ? readSocket(parts.value) : readServer(scheme.value, parts.value);
}

function parseScheme(text: string): Outcome<Scheme, string> {
  const scheme = text.toLowerCase();
  switch (scheme) {
    case "redis":
    case "rediss":
    case "sentinel":
      return success(scheme);
    case "redis+socket":
      // If a scheme has a plus, kombu uses the part before the plus as it is.
      if (text.startsWith("redis+")) return success(scheme);
      return failure("has a scheme in capitals: write redis+socket://");
    default:
  }
  const instead = INSTEAD.get(scheme);
  if (instead !== undefined) return failure(`has scheme '${scheme}', unknown to kombu: write ${instead}`);
  if (CLUSTER.test(scheme)) {
    return failure(
      `has scheme '${scheme}', unknown to kombu: it has no Redis Cluster, write redis:// of one server`,
    );
  }
  return failure(`is not a Redis broker: ${EXPECTED}`);
}

function readServer(
  scheme: Exclude<Scheme, "redis+socket">,
  { path, query, ...said }: UrlParts,
): Outcome<Wish, string> {
  // Without a path, the URL does not name the database. A second slash means the default.
  const db = path === "" ? success(undefined) : parseDatabase(path);
  if (!db.ok) return failure(strayPart(path, db.problem));
  const search = [...query].flat().join("&");
  for (const [key, value] of query) {
    const problem = key.startsWith("ssl_") ? null : refusedKeyword(key, value, said.host !== undefined);
    if (problem !== null) return failure(strayPart(search, problem));
  }
  const tls = readTls(query);
  return tls.ok ? success({ ...said, scheme, socket: undefined, db: db.value, tls: tls.value }) : tls;
}

function refusedKeyword(key: string, value: string, hasHost: boolean): string | null {
  if (key === "credential_provider") {
    return "takes its credentials from Python code (credential_provider): expected user and password in the URL";
  }
  if (!CONNECTION_KEYWORDS.has(key)) {
    const named = hasHost && /^[a-z][a-z_]{1,40}$/.test(key) ? `the parameter '${key}'` : "a parameter";
    return `has ${named} that kombu refuses in a URL: put it into broker_transport_options; ${EXPECTED}`;
  }
  // kombu turns this value into a number at once.
  if (key === "heartbeat" && !/^\s*[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?\s*$/i.test(value)) {
    return "has a heartbeat that is not a number: expected seconds";
  }
  return null;
}

/** Reads the URL of a unix socket. Any text may stand in place of the host, because kombu does not look at it. */
function readSocket({ path, query, ...said }: UrlParts): Outcome<Wish, string> {
  if (path === "") return failure(`names no socket: ${EXPECTED_SOCKET}`);
  if (said.host !== undefined || said.port !== undefined) {
    const problem = strayPart(path, "");
    if (problem !== "") return failure(problem);
  }
  for (const [key, value] of query) {
    if (key === "virtual_host" || SOCKET_KEYWORDS.has(key)) continue;
    const problem = key.startsWith("ssl_")
      ? "asks for TLS by ssl_…, which redis-py refuses on a socket"
      : "has a parameter that redis-py refuses or cannot use as text";
    return failure(strayPart(key + value, `${problem}: ${EXPECTED_SOCKET}`));
  }
  const db = parseDatabase(query.get("virtual_host") ?? "0");
  if (!db.ok) return db;
  return success({ ...said, scheme: "redis+socket", socket: `/${path}`, db: db.value, tls: null });
}

/** As kombu's `_prepare_virtual_host` and Python's `int` do. */
function parseDatabase(text: string): Outcome<number, string> {
  const digits = text.replace(/^\//, "").trim();
  if (text === "/") return success(0);
  const number = /^(?:\+?\d+(?:_\d+)*|-0+)$/.test(digits) ? Number(digits.replace(/[+_-]/g, "")) : NaN;
  if (Number.isNaN(number) || number > 999_999_999) {
    return failure(slipIn(digits, "database") ?? "has a database that is not a number: expected 0 or more");
  }
  return success(number);
}

function parseAlternate(text: string, first: Scheme): Outcome<Alternate, string> {
  if (!text.includes("://")) {
    const isHost = !/[\s/?#@[\]]|^[^:]*:[^:]*$/.test(text);
    // Sentinels must be URLs: kombu never asks a word without a scheme.
    if (isHost || first === "sentinel") return success({ scheme: null, host: text || undefined });
    return failure(`has no scheme, which makes all of it a host name: ${EXPECTED}`);
  }
  const url = parseUrl(text);
  if (!url.ok) return url;
  if (url.value.scheme === "redis+socket") {
    return failure("is a socket, which kombu takes in the first place only: put it there");
  }
  if ((url.value.scheme === "sentinel") !== (first === "sentinel")) {
    return failure("is of another kind: expected either servers or Sentinels");
  }
  return url;
}

function serversInTurn(
  first: Wish,
  alternates: readonly Alternate[],
): readonly [BrokerTarget, ...BrokerTarget[]] {
  const known: Wish = first.socket === undefined ? first : { ...NOTHING_SAID, scheme: "redis" };
  let { port, db } = known;
  const targets = alternates.map((alternate) => {
    const wish = alternate.scheme === null ? { ...known, host: alternate.host } : alternate;
    port = wish.port ?? port;
    db = wish.db ?? db;
    return targetOf({ ...wish, port, db, tls: wish.tls ?? known.tls });
  });
  return [targetOf(first), ...targets];
}

/** What kombu keeps from a socket's URL for the URLs after it. */
const NOTHING_SAID = {
  username: undefined,
  password: undefined,
  host: undefined,
  port: undefined,
  socket: undefined,
  db: undefined,
  tls: null,
} as const;

function targetOf(wish: Wish): BrokerTarget {
  const { socket, host = DEFAULT_HOST, port = DEFAULT_PORT } = wish;
  const place: Place = socket === undefined ? { kind: "tcp", host, port } : { kind: "socket", path: socket };
  return { place, ...identityOf(wish) };
}

function identityOf({ scheme, db = 0, username, password, tls }: Wish): Omit<BrokerTarget, "place"> {
  return {
    db,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    tls: tls ?? (scheme === "rediss" ? UNVERIFIED : null),
  };
}

/** The first URL describes the master. kombu takes only the Sentinel from the other URLs. */
function sentinelBroker(first: Wish, alternates: readonly Alternate[]): Broker {
  const urls = [first, ...alternates.filter((one): one is Wish => one.scheme !== null)];
  return {
    kind: "sentinel",
    sentinels: urls.map(({ host = DEFAULT_HOST, port = DEFAULT_SENTINEL_PORT }) => ({ host, port })),
    master: identityOf(first),
  };
}

const MASK = "***";

/** Values of parameters that cannot be a secret. */
const PLAIN_VALUES: ReadonlyMap<string, RegExp> = new Map([
  ["ssl_cert_reqs", /^(?:CERT_)?(?:none|optional|required)$/i],
  ["ssl_check_hostname", /^(?:true|false|0|1)$/i],
  ["virtual_host", /^\d{1,5}$/],
]);

/**
 * The URL with every secret masked, safe to print. It also works for a broken URL and for any other text. In a list,
 * each URL is masked by itself.
 *
 * A user name is kept only before a password. Text after the host that is not a port number is masked too. It may be
 * the rest of a password with an unescaped `/` or a forgotten `@`. Query values are masked, except a few that cannot be
 * a secret.
 */
export function redact(text: string): string {
  // Any other semicolon may be part of a password.
  return withoutLineEnds(text)
    .split(/;(?=(?:rediss?|redis\+socket|sentinel):\/\/)/i)
    .map(redactOne)
    .join(";");
}

function redactOne(text: string): string {
  const scheme = /^[^:/?#@]+:\/\//.exec(text)?.[0] ?? "";
  const rest = text.slice(scheme.length);
  const at = rest.lastIndexOf("@");
  const user = at === -1 ? "" : `${maskedCredentials(rest.slice(0, at))}@`;
  const place = rest
    .slice(at + 1)
    .replace(/^(\[[^\]]*\]|[^:/?#[]*):(?!\d*(?:[/?#]|$)).*$/s, `$1:${MASK}`)
    .replace(/#[^]*/, `#${MASK}`)
    .replace(
      /([?&])([^=&#]*)(=?)([^&#]*)/g,
      (parameter, mark: string, key: string, equals: string, value: string) =>
        PLAIN_VALUES.get(key)?.test(value)
          ? parameter
          : equals === ""
            ? `${mark}${MASK}`
            : `${mark}${key}=${MASK}`,
    );
  return scheme + user + place;
}

function maskedCredentials(text: string): string {
  const user = /^([^:/?#@]*):/.exec(text)?.[1];
  return user === undefined ? MASK : `${user}:${MASK}`;
}

/** The broker if no setting names one: a Redis on this machine. */
export const DEFAULT_BROKER_URL = `redis://${DEFAULT_HOST}:${DEFAULT_PORT}/0`;
/** A server's place for people: `10.0.0.7:6379`, `[::1]:6379`, or the path of a socket. */
export function placeText(place: Place): string {
  if (place.kind === "socket") return place.path;
  return `${place.host.includes(":") ? `[${place.host}]` : place.host}:${place.port}`;
}

/** A URL of this server, as the user would write it. Its TLS parameters are left out. */
export function targetText({ place, db, username = "", password, tls }: BrokerTarget): string {
  const secret = password === undefined ? "" : `:${encodeURIComponent(password)}`;
  const login = username + (password ?? "") === "" ? "" : `${encodeURIComponent(username)}${secret}@`;
  return place.kind === "socket"
    ? `redis+socket://${login}${place.path}?virtual_host=${db}`
    : `${tls === null ? "redis" : "rediss"}://${login}${placeText(place)}/${db}`;
}
