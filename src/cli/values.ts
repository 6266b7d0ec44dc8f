import { DEFAULT_NAMING } from "../broker/keys.ts";
import { type Broker, parseBrokerUrl, withoutLineEnds } from "../broker/url.ts";
import type { ListenPlace } from "../machine/parts.ts";
import { failure, type Outcome, success } from "../outcome.ts";
import { ownEntry } from "../own-entry.ts";
import { unfilled, unfilledWords } from "../unfilled.ts";

/**
 * Reads the text of one value. A problem is a phrase that follows the quoted text and says what was expected: `has no
 * unit: expected a duration such as 500ms, 2s or 1m`.
 */
export type ValueParser<T> = (text: string) => Outcome<T, string>;

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
const DURATION = "expected a duration such as 500ms, 2s or 1m";
const LONGEST_MS = 86_400_000;

/** A duration with its unit, in milliseconds: `least` or more, at most a day. */
export function durationFrom(least: number): ValueParser<number> {
  return (text) => {
    const parts = /^(\d+(?:\.\d+)?)([a-z]*)$/i.exec(text);
    const unit = parts?.[2] ?? "";
    if (parts === null) return failure(`is not a duration: ${DURATION}`);
    if (unit === "") return failure(`has no unit: ${DURATION}`);
    const factor = ownEntry(UNIT_MS, unit);
    if (factor === undefined) return failure(`has the unit '${unit}': expected ms, s, m or h`);
    const ms = Number(parts[1]) * factor;
    if (ms < least) return failure(`is too short: expected ${least}ms or more`);
    if (ms > LONGEST_MS) return failure("is too long: expected 24h or less");
    return success(ms);
  };
}

/** More than zero, at most a day. */
export const duration = durationFrom(1);

/** A whole number from `least` to `most`. */
export function count(least: number, most: number): ValueParser<number> {
  return (text) => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    return value >= least && value <= most
      ? success(value)
      : failure(`is not accepted: expected a whole number from ${least} to ${most}`);
  };
}

/** One of the listed words. */
export function oneOf<const W extends string>(...words: readonly W[]): ValueParser<W> {
  const parse: ValueParser<W> = (text) => {
    const word = words.find((candidate) => candidate === text);
    return word === undefined
      ? failure(`is not accepted: expected ${words.slice(0, -1).join(", ")} or ${words.at(-1)}`)
      : success(word);
  };
  return Object.assign(parse, { choices: words });
}

/** The words that a parser made by {@link oneOf} accepts. Null: it is another parser. */
export function choicesOf(parse: ValueParser<unknown>): readonly string[] | null {
  return "choices" in parse && Array.isArray(parse.choices) ? (parse.choices as readonly string[]) : null;
}

const SWITCH: Readonly<Record<string, boolean>> = {
  true: true,
  yes: true,
  on: true,
  "1": true,
  false: false,
  no: false,
  off: false,
  "0": false,
};

/** A switch, as environment variables write it. */
export const onOff: ValueParser<boolean> = (text) => {
  const value = ownEntry(SWITCH, text.toLowerCase());
  return value === undefined ? failure("is not accepted: expected true or false") : success(value);
};

/** In characters. Longer than any host name, but short enough for a line with several names. */
const LONGEST_NAME = 255;

/** Node names, or values of a worker's `-n`, separated by commas. */
export const nodes: ValueParser<readonly string[]> = (text) => {
  const names = text.split(",").map((name) => name.trim());
  if (names.some((name) => name.length > LONGEST_NAME)) {
    return failure(`is too long: expected ${LONGEST_NAME} characters or less for each name`);
  }
  return names.every((name) => isPrintable(name) && name !== "@")
    ? success(names)
    : failure("is not a node name: expected name@host, as the worker prints it when it starts");
};

/** Queue names, separated by commas. */
export const queues: ValueParser<readonly string[]> = (text) => {
  const names = text.split(",").map((name) => name.trim());
  return names.every(isQueueName)
    ? success(names)
    : failure("is not a queue's name: expected one such as celery");
};

function isQueueName(name: string): boolean {
  return isPrintable(name) && name.length <= LONGEST_NAME;
}

/**
 * Whether the text has no control characters. ASCII is tried first, because Unicode's tables take a millisecond to
 * load.
 */
function isPrintable(text: string): boolean {
  return /^[ -~]+$/.test(text) || /^\P{C}+$/u.test(text);
}

/** How many messages may wait in a queue. `queue` null: in each queue of the worker. */
export interface QueueLimit {
  readonly queue: string | null;
  readonly limit: number;
}

/** The limit of queues without one of their own. */
export const USUAL_QUEUE_LIMIT = 1_000;

/**
 * How many messages may wait in a queue. Its own limit comes before the general one. If one is given twice, the last
 * counts.
 */
export function limitOf(queue: string, limits: readonly QueueLimit[]): number | null {
  const own = limits.findLast((limit) => limit.queue === queue);
  const all = limits.findLast((limit) => limit.queue === null);
  return own?.limit ?? all?.limit ?? null;
}

/** `N` or `QUEUE=N`, or several of them separated by commas. */
export const queueLimit: ValueParser<readonly QueueLimit[]> = (text) => {
  const limits: QueueLimit[] = [];
  for (const part of text.split(",").map((word) => word.trim())) {
    const equals = part.lastIndexOf("=");
    const name = equals === -1 ? null : part.slice(0, equals);
    const limit = count(0, 999_999_999)(part.slice(equals + 1));
    if (!limit.ok || (name !== null && !isQueueName(name))) {
      return failure(
        "is not a limit: expected a whole number such as 1000, or a queue and a number such as celery=1000",
      );
    }
    limits.push({ queue: name, limit: limit.value });
  }
  return success(limits);
};

/** A path in the file system. */
export const filePath: ValueParser<string> = (text) =>
  text !== "" && !text.includes("\0")
    ? success(text)
    : failure("is not a path: expected one such as /run/worker.pid");

/** The prefix of every key in a broker. */
export const keyPrefix: ValueParser<string> = (text) =>
  /^[^\p{C}*?[\]\\]*$/u.test(text)
    ? success(text)
    : failure("is not a key prefix: expected text without * ? [ ] \\, such as app1:");

/** The prefix of fanout channels. `false`: no prefix; `true`: kombu's own. */
export const fanoutPrefix: ValueParser<string> = (text) => {
  if (text.toLowerCase() === "false") return success("");
  if (text.toLowerCase() === "true") return success(DEFAULT_NAMING.fanoutPrefix);
  // With another form no worker can be asked (kombu/transport/redis.py `_receive`, `_get_subscribe_topic`).
  return /^\/[^\p{C}*?[\]\\.]*\.$/u.test(text)
    ? success(text)
    : failure("is not a fanout prefix: expected one such as /{db}. or /app1., or false");
};

/** The name of an exchange. */
export const exchangeName: ValueParser<string> = (text) =>
  /^[^\p{C}\s*?[\]\\]+$/u.test(text)
    ? success(text)
    : failure("is not the name of an exchange: expected one such as celery");

/** Text that is passed on unchanged. */
export const settingText: ValueParser<string> = (text) =>
  /^[^\p{C}]+$/u.test(text)
    ? success(text)
    : failure("is not accepted: expected text without control characters");

/**
 * A secret. It is refused if it is only a variable's name in a notation that no password has: that variable was not
 * filled in.
 */
export const secretText: ValueParser<string> = (text) => {
  const slip = /^\$[({]/.test(text) ? unfilled(text) : null;
  return slip?.name === text ? failure(unfilledWords(slip, text)) : settingText(text);
};

/** The URL of a result backend. Its scheme is not checked, because it depends on the worker. */
export const backendUrl: ValueParser<string> = (text) =>
  urlWith(
    /^[^\p{C}]+$/u,
    text,
    "is not accepted: expected one such as redis://[user:password@]host[:port][/database]",
  );

/** The address of a web page. */
export const webUrl: ValueParser<string> = (text) =>
  urlWith(
    /^https?:\/\/[^\s\p{C}]+$/u,
    text,
    "is not a web address: expected one such as http://flower:5555",
    (url) => URL.canParse(url),
  );

function urlWith(
  form: RegExp,
  text: string,
  problem: string,
  isRead: (text: string) => boolean = () => true,
): Outcome<string, string> {
  // A password before the @ may look like a variable.
  const slip = unfilled(text.slice(text.lastIndexOf("@") + 1));
  if (slip !== null) return failure(unfilledWords(slip, text));
  return form.test(text) && isRead(text) ? success(text) : failure(problem);
}

/** In bytes. The kernel's limit for a socket's path (unix(7)). */
const LONGEST_SOCKET = 107;

/** Where to listen: `HOST:PORT`, or the absolute path of a socket. */
export const listenPlace: ValueParser<ListenPlace> = (text) => {
  if (text.startsWith("/")) {
    if (text.includes("\0")) return failure(`is not a path: ${LISTEN}`);
    return Buffer.byteLength(text) <= LONGEST_SOCKET
      ? success({ kind: "socket", path: text })
      : failure(`is too long for a socket: expected ${LONGEST_SOCKET} bytes or less`);
  }
  const { address, name, port } =
    /^(?:\[(?<address>[\da-f:.]+)\]|(?<name>[\w.-]+)):(?<port>\d{1,5})$/i.exec(text)?.groups ?? {};
  const host = address ?? name;
  if (host === undefined || Number(port) > 65_535) return failure(`is not an address: ${LISTEN}`);
  return success({ kind: "tcp", host, port: Number(port) });
};

const LISTEN = "expected one such as 127.0.0.1:9540, [::1]:9540 or /run/celery-probe.sock";

/** The name of an environment variable. */
export const variableName: ValueParser<string> = (text) =>
  /^[A-Za-z_][A-Za-z0-9_.-]*$/.test(text)
    ? success(text)
    : failure("is not the name of a variable: expected one such as CELERY_BROKER_URL");

/** A broker URL, and the text that it was read from. */
export interface BrokerUrl {
  readonly text: string;
  readonly broker: Broker;
  /** What is wrong with the URL. Absent: nothing. */
  readonly problem?: string;
}

/** A broker URL in kombu's dialect, or one that cannot be read. For commands that also work without a broker. */
export const anyBrokerUrl: ValueParser<BrokerUrl> = (text) => {
  const url = brokerUrl(text);
  return url.ok ? url : success({ text, broker: NO_BROKER, problem: url.problem });
};

/** Replaces a broker whose URL cannot be read. Nothing connects to it. */
export const NO_BROKER: Broker = {
  kind: "servers",
  servers: [{ place: { kind: "tcp", host: "", port: 0 }, db: 0, tls: null }],
};

/** A broker URL in kombu's dialect. */
export const brokerUrl: ValueParser<BrokerUrl> = (text) => {
  const broker = parseBrokerUrl(text);
  return broker.ok ? success({ text: withoutLineEnds(text), broker: broker.value }) : broker;
};
