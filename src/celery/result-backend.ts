import { locate, type BrokerSettings, type Located } from "../broker/settings.ts";
import { type BrokerTarget, parseBrokerUrl, type Place, redact } from "../broker/url.ts";
import { isMasked, readSettings } from "./settings.ts";
import { asObject } from "../pidbox/envelope.ts";

/** Results that cannot be counted. `detail` is the scheme of another backend, or the problem of the URL. */
export interface NoResults {
  readonly kind: "none-kept" | "other" | "hidden" | "no-url";
  /** Passwords are masked. */
  readonly url: string;
  readonly from: string;
  readonly detail: string;
}

/** Where the results are. */
export type Backend =
  | { readonly kind: "redis"; readonly located: Located; readonly url: string; readonly from: string }
  | NoResults;

/** The URL or scheme of a backend, and its source. */
export interface NamedBackend {
  readonly text: string;
  readonly from: string;
}

/**
 * The result backend in the workers' settings. No backend is a value too (`disabled`). Null: no worker told its
 * settings.
 */
export function toldBackend(told: ReadonlyMap<string, unknown>): NamedBackend | null {
  let isTold = false;
  for (const [node, conf] of told) {
    const settings = readSettings(conf);
    if (settings === null) continue;
    isTold = true;
    const value = settings.get("result_backend");
    if (typeof value === "string" && value !== "") return { text: value, from: `the settings of ${node}` };
  }
  return isTold ? { text: "disabled", from: "the workers' settings" } : null;
}

/** Whether some worker has a prefix for its results. Celery masks the prefix itself. */
export function hasResultPrefix(told: ReadonlyMap<string, unknown>): boolean {
  return [...told.values()].some((conf) => {
    const options = asObject(readSettings(conf)?.get("result_backend_transport_options"));
    return Boolean(options?.["global_keyprefix"]);
  });
}

/** The schemes of Celery's Redis backends (celery/app/backends.py). */
const OURS = /^(?:rediss?|redis\+socket|sentinel)$/i;

/** @param broker where the broker was found. Its credentials replace masked ones for the same server */
export function readBackend(
  { text, from }: NamedBackend,
  settings: BrokerSettings,
  broker: BrokerTarget,
): Backend {
  const scheme = /^([^:/?#]*):\/\//.exec(text)?.[1] ?? text;
  const url = redact(text);
  const none = (kind: NoResults["kind"], detail = ""): NoResults => ({ kind, url, from, detail });
  if (/^disabled/.test(scheme)) return none("none-kept");
  if (!OURS.test(scheme)) return none("other", /^[\w+.:-]{1,60}$/.test(scheme) ? scheme : "…");
  const parsed = parseBrokerUrl(text.includes("://") ? text : `${text}://`);
  if (!parsed.ok) return none("no-url", parsed.problem);
  // The broker's TLS settings apply only to a result server with TLS.
  const isPlain = scheme.toLowerCase() === "redis";
  const located = unmasked(locate(parsed.value, isPlain ? { ...settings, tls: null } : settings), broker);
  return located === null ? none("hidden") : { kind: "redis", located, url, from };
}

function unmasked(located: Located, broker: BrokerTarget): Located | null {
  if (located.kind === "sentinel") {
    return hasMask(located.master) ? { ...located, master: withLoginOf(broker, located.master) } : located;
  }
  const [first, ...others] = located.servers;
  if (![first, ...others].some(hasMask)) return located;
  if (!hasMask(first) || !isSamePlace(first.place, broker.place)) return null;
  return { kind: "servers", servers: [withLoginOf(broker, first)] };
}

function withLoginOf<T extends Omit<BrokerTarget, "place">>(
  { username, password }: BrokerTarget,
  target: T,
): T {
  return {
    ...target,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
  };
}

function hasMask({ password }: Omit<BrokerTarget, "place">): boolean {
  return isMasked(password);
}

function isSamePlace(a: Place, b: Place): boolean {
  if (a.kind === "socket" || b.kind === "socket") {
    return a.kind === "socket" && b.kind === "socket" && a.path === b.path;
  }
  const host = (name: string) => (name === "localhost" ? "127.0.0.1" : name.toLowerCase());
  return host(a.host) === host(b.host) && a.port === b.port;
}
