import { asNumber, isCount } from "../numbers.ts";
import { asObject, parseJson } from "../pidbox/envelope.ts";

/** What a `serve` shares about a node and a check reads. It is a field of a hash, see `sharedKey` in broker/keys.ts. */
export interface SharedVerdict {
  readonly status: "healthy" | "unhealthy";
  /** A reason of the check, or of `serve` alone. */
  readonly reason: string;
  /**
   * When this was last known to be true, in milliseconds since 1970 by the clock of the broker. Both sides ask the
   * broker for its time, so the clocks of their machines do not matter.
   */
  readonly atMs: number;
  /** The host that this `serve` runs on, and its version. */
  readonly host: string;
  readonly version: string;
}

/** The version of the field's form. */
const SCHEMA = 1;

/** The longest text that is read, in characters. The longest that is written has 500. */
const LONGEST = 1_000;

/** The form of a host name. Any other text is not accepted and not shown. */
const HOST = /^[\w.:-]{1,253}$/;
const VERSION = /^[\w.+-]{1,60}$/;
const REASON = /^[a-z][a-z-]{0,39}$/;

export function encodeShared({ host, ...verdict }: SharedVerdict): string {
  const { status, reason, atMs, version } = verdict;
  const named = HOST.test(host) ? host : "unnamed";
  return JSON.stringify({ schema: SCHEMA, status, reason, at_ms: Math.floor(atMs), host: named, version });
}

/** Reads a field; null: no `serve` of this version has written it. */
export function decodeShared(text: unknown): SharedVerdict | null {
  if (typeof text !== "string" || text.length > LONGEST) return null;
  const { schema, status, reason, at_ms: atMs, host, version } = asObject(parseJson(text)) ?? {};
  if (schema !== SCHEMA || !isCount(atMs)) return null;
  if (status !== "healthy" && status !== "unhealthy") return null;
  if (!isText(reason, REASON) || !isText(host, HOST) || !isText(version, VERSION)) return null;
  return { status, reason, atMs, host, version };
}

function isText(value: unknown, form: RegExp): value is string {
  return typeof value === "string" && form.test(value);
}

/** The clock of the broker from its answer to TIME, in milliseconds since 1970; null: the answer is not a time. */
export function brokerTimeMs(answer: unknown): number | null {
  if (!Array.isArray(answer) || answer.length !== 2) return null;
  const [seconds, micros] = answer.map(asNumber);
  return isCount(seconds) && isCount(micros) && micros < 1_000_000 ? seconds * 1_000 + micros / 1_000 : null;
}
