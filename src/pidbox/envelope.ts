import { endOfQuoted } from "./quoted.ts";

/** The parts of a message from kombu's virtual transport that we read. */
export interface Envelope {
  readonly headers: Readonly<Record<string, unknown>>;
  readonly contentType: unknown;
  /** Decoded: these bytes have the format that the content type names. */
  readonly body: Buffer;
}

/**
 * Takes a message out of its envelope (kombu/transport/virtual/base.py, `Channel.prepare_message`); `null`: the text is
 * not such a message.
 */
export function openEnvelope(text: string): Envelope | null {
  const envelope = asObject(parseJson(text));
  const body = envelope?.["body"];
  if (envelope === null || typeof body !== "string") return null;
  const encoding = asObject(envelope["properties"])?.["body_encoding"];
  return {
    headers: asObject(envelope["headers"]) ?? {},
    contentType: envelope["content-type"],
    body: Buffer.from(body, encoding === "base64" ? "base64" : "utf8"),
  };
}

/** The limits of what is decoded; `length` is in characters. */
export const MOST = {
  /** Celery's own largest answer, 50,000 revoked ids, has 2.7 million. */
  length: 4 * 1024 * 1024,
  /** Levels of lists and objects inside each other. Code that walks through them calls itself once for each level. */
  depth: 500,
  /** Values in lists and objects. A million empty objects are 3 MB of text and take 300 MB of memory. */
  values: 250_000,
  /**
   * For all answers that are kept together, in characters; see {@link Room}. 100 times `conf` of 60 kB need 11 million.
   */
  total: 12 * 1024 * 1024,
} as const;

/** How much more the answers that are kept together may take, in characters. */
export interface Room {
  left: number;
}

export function startRoom(): Room {
  return { left: MOST.total };
}

/** A value takes as much memory as this many characters, in addition to its own characters. */
const CHARACTERS_OF_VALUE = 32;

/** A number with at least this many digits is kept as text. It then takes as much memory as this many values. */
const LONG_NUMBER = 16;
const VALUES_OF_LONG_NUMBER = 4;

/**
 * How much room an answer takes, in characters. `length` is the length of its text, `values` the number of values in
 * it.
 */
export function roomFor(length: number, values: number): number {
  return length + CHARACTERS_OF_VALUE * values;
}

/** The value, or `undefined` if the text is not JSON or is over a limit. */
export function parseJson(text: string): unknown {
  if (text.length > MOST.length || sizeOf(text).excess !== null) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** How many values a JSON text has, and which limit it is over. The limit of its length is not checked. */
export function sizeOf(text: string): {
  readonly values: number;
  readonly excess: "depth" | "values" | null;
} {
  // Each level takes two characters, so a pong is short enough to be skipped.
  if (text.length < 2 * MOST.depth) return { values: 0, excess: null };
  let depth = 0;
  let values = 0;
  let digits = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text.charCodeAt(at);
    digits = character >= ZERO && character <= NINE ? digits + 1 : 0;
    switch (text[at]) {
      case '"':
        at = endOfQuoted(text, at) - 1;
        break;
      case "[":
      case "{":
        if (++depth > MOST.depth) return { values, excess: "depth" };
        values++;
        break;
      case "]":
      case "}":
        depth--;
        break;
      case ",":
        values++;
        break;
    }
    if (digits === LONG_NUMBER) values += VALUES_OF_LONG_NUMBER - 1;
    if (values > MOST.values) return { values, excess: "values" };
  }
  return { values, excess: null };
}

const ZERO = "0".charCodeAt(0);
const NINE = "9".charCodeAt(0);

/** The value if it is a JSON object, not an array and not `null`. */
export function asObject(value: unknown): Readonly<Record<string, unknown>> | null {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : null;
}
