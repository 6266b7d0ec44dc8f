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

/** The value, or `undefined` for what is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The value if it is a JSON object: neither an array nor `null`. */
export function asObject(value: unknown): Readonly<Record<string, unknown>> | null {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : null;
}

/** What of JSON JavaScript cannot hold as it is written. */
const beyond: {
  readonly rawJSON?: (text: string) => unknown;
  readonly parse: (
    text: string,
    reviver: (key: string, value: unknown, context?: { readonly source?: string }) => unknown,
  ) => unknown;
} = JSON;

/** No text below this length, in characters, holds anything that {@link parsePythonJson} has to look for: a pong does not. */
const PLAIN = 100;

/**
 * The value of what Python wrote as JSON, or `undefined` for what is none. Python writes numbers that JSON does not
 * have: `Infinity` (a default of Celery's settings) becomes 1e999, which every parser reads as infinite, and `NaN` null.
 * Numbers that JavaScript would round keep their digits, for `JSON.stringify` (`JSON.rawJSON`).
 */
export function parsePythonJson(text: string): unknown {
  if (text.length < PLAIN || !/\d{16}|Infinity|NaN/.test(text)) return parseJson(text);
  const strict = text.replace(/"(?:[^"\\]|\\.)*"|Infinity|NaN/g, (token) =>
    token === "Infinity" ? "1e999" : token === "NaN" ? "null" : token,
  );
  try {
    return beyond.parse(strict, (_, value, context) => {
      const isKept =
        typeof value !== "number" ||
        (Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value)));
      return isKept ? value : (beyond.rawJSON?.(context?.source ?? "null") ?? value);
    });
  } catch {
    return undefined;
  }
}

/** Whether it is a number that has kept its digits; see {@link parsePythonJson}. */
export function isRawNumber(value: unknown): boolean {
  const object = asObject(value);
  return object !== null && Object.getPrototypeOf(object) === null && typeof object["rawJSON"] === "string";
}
