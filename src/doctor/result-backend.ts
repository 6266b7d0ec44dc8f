import { locate, type BrokerSettings, type Located } from "../broker/settings.ts";
import { type BrokerTarget, parseBrokerUrl, type Place, redact } from "../broker/url.ts";
import { isMasked, readSettings } from "../celery/settings.ts";
import { asObject } from "../pidbox/envelope.ts";

/** Where the results are. */
export type Backend =
  | { readonly kind: "redis"; readonly located: Located; readonly url: string; readonly from: string }
  | { readonly kind: "none-kept"; readonly from: string }
  | { readonly kind: "other"; readonly scheme: string; readonly from: string }
  /** Its password is masked. */
  | { readonly kind: "hidden"; readonly url: string; readonly from: string }
  | { readonly kind: "no-url"; readonly url: string; readonly from: string; readonly problem: string };

/** A text that names a backend, and who gave it. */
export interface NamedBackend {
  readonly text: string;
  readonly from: string;
}

/** What the settings of the workers say; null: no worker has told its settings. */
export function toldBackend(told: ReadonlyMap<string, unknown>): NamedBackend | "none" | null {
  let isTold = false;
  for (const [node, conf] of told) {
    const settings = readSettings(conf);
    if (settings === null) continue;
    isTold = true;
    const value = settings.get("result_backend");
    if (typeof value === "string" && value !== "") return { text: value, from: `the settings of ${node}` };
  }
  return isTold ? "none" : null;
}

/** Whether a worker has a prefix for its results; which one, Celery masks. */
export function hasResultPrefix(told: ReadonlyMap<string, unknown>): boolean {
  return [...told.values()].some((conf) => {
    const options = asObject(readSettings(conf)?.get("result_backend_transport_options"));
    return Boolean(options?.["global_keyprefix"]);
  });
}

/** The schemes that Celery's Redis backends have (celery/app/backends.py). */
const OURS = /^(?:rediss?|redis\+socket|sentinel)$/i;

/** @param broker where the broker was found: its credentials stand in for masked ones of the same server */
export function readBackend(
  { text, from }: NamedBackend,
  settings: BrokerSettings,
  broker: BrokerTarget,
): Backend {
  const scheme = /^([^:/?#]*):\/\//.exec(text)?.[1] ?? text;
  if (/^disabled/.test(scheme)) return { kind: "none-kept", from };
  if (!OURS.test(scheme)) {
    return { kind: "other", scheme: /^[\w+.:-]{1,60}$/.test(scheme) ? scheme : "…", from };
  }
  const url = redact(text);
  const parsed = parseBrokerUrl(text.includes("://") ? text : `${text}://`);
  if (!parsed.ok) return { kind: "no-url", url, from, problem: parsed.problem };
  // What is said of the broker's certificates means only servers with TLS.
  const isPlain = scheme.toLowerCase() === "redis";
  const located = unmasked(locate(parsed.value, isPlain ? { ...settings, tls: null } : settings), broker);
  return located === null ? { kind: "hidden", url, from } : { kind: "redis", located, url, from };
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
