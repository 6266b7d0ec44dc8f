import { endOfQuoted } from "./quoted.ts";

/** A message as kombu's virtual transport writes it, as far as it is read here. */
export interface Envelope {
  readonly headers: Readonly<Record<string, unknown>>;
  readonly contentType: unknown;
  /** Decoded: the bytes that the content type describes. */
  readonly body: Buffer;
}

/**
 * Takes a message out of its envelope (kombu/transport/virtual/base.py, `Channel.prepare_message`); `null` for what
 * is none.
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
  /** Lists and objects that stand in each other: whoever walks through them calls itself once a level. */
  depth: 500,
  /** In lists and objects: a million empty objects, which are 3 MB of text, take 300 MB. */
  values: 250_000,
  /**
   * Characters of all answers to one question: 16 of the longest. Those are kept until the last has come, and numbers
   * that keep their digits take four times their text.
   */
  total: 64 * 1024 * 1024,
} as const;

/** The value, or `undefined` for what is no JSON, and for what is over a bound. */
export function parseJson(text: string): unknown {
  if (text.length > MOST.length || excessOf(text) !== null) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Which bound a text of JSON is over, beside that of its length. */
export function excessOf(text: string): "depth" | "values" | null {
  // Each level takes two characters: a pong is not looked through.
  if (text.length < 2 * MOST.depth) return null;
  let depth = 0;
  let values = 0;
  for (let at = 0; at < text.length; at++) {
    switch (text[at]) {
      case '"':
        at = endOfQuoted(text, at) - 1;
        break;
      case "[":
      case "{":
        if (++depth > MOST.depth) return "depth";
        if (++values > MOST.values) return "values";
        break;
      case "]":
      case "}":
        depth--;
        break;
      case ",":
        if (++values > MOST.values) return "values";
        break;
    }
  }
  return null;
}

/** The value if it is a JSON object: neither an array nor `null`. */
export function asObject(value: unknown): Readonly<Record<string, unknown>> | null {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : null;
}
