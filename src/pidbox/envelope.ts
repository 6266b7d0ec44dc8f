import { endOfQuoted } from "./quoted.ts";

/** The parts that are read here of a message as kombu's virtual transport writes it. */
export interface Envelope {
  readonly headers: Readonly<Record<string, unknown>>;
  readonly contentType: unknown;
  /** Decoded: the bytes that the content type describes. */
  readonly body: Buffer;
}

/**
 * Takes a message out of its envelope (kombu/transport/virtual/base.py, `Channel.prepare_message`); `null` for any
 * other text.
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

/** The bounds of what is decoded; `length` in characters. */
export const MOST = {
  /** Celery's largest answer of its own, 50,000 revoked ids, has 2.7 million. */
  length: 4 * 1024 * 1024,
  /** Nested lists and objects: code that walks through them calls itself once a level. */
  depth: 500,
  /** In lists and objects: a million empty objects, which are 3 MB of text, take 300 MB. */
  values: 250_000,
  /** Of all answers that are kept together, in characters; see {@link Room}. 100 times `conf` of 60 kB need 11 million. */
  total: 12 * 1024 * 1024,
} as const;

/** What the answers that are kept together may still take, in characters. */
export interface Room {
  left: number;
}

export function startRoom(): Room {
  return { left: MOST.total };
}

/** Characters that take as much memory as a value beside its own. */
const CHARACTERS_OF_VALUE = 32;

/** Digits from which on a number is kept as text; it takes as much as so many values. */
const LONG_NUMBER = 16;
const VALUES_OF_LONG_NUMBER = 4;

/** What an answer of so many characters takes whose text is this. */
export function roomFor(length: number, values: number): number {
  return length + CHARACTERS_OF_VALUE * values;
}

/** The value, or `undefined` if the text is not JSON or is over a bound. */
export function parseJson(text: string): unknown {
  if (text.length > MOST.length || sizeOf(text).excess !== null) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** How many values a text of JSON has, and which bound it is over, apart from its length. */
export function sizeOf(text: string): {
  readonly values: number;
  readonly excess: "depth" | "values" | null;
} {
  // Each level takes two characters: a pong is not looked through.
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

/** The value if it is a JSON object: neither an array nor `null`. */
export function asObject(value: unknown): Readonly<Record<string, unknown>> | null {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : null;
}
