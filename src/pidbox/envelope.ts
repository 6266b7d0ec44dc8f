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
