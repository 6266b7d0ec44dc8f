import { type Destination, PIDBOX_EXCHANGE } from "../broker/keys.ts";

/**
 * The methods that may be sent. A worker whose reply cannot be serialised, or whom a message commands to change
 * something, is harmed: nothing that is not in this list can be encoded.
 */
export type Method = "ping";

/** What a ping asks for. */
export interface Request {
  readonly method: Method;
  readonly destination: Destination;
  /** Comes back in the headers of every reply to this request. */
  readonly ticket: string;
  /** The list to push replies to. */
  readonly replyTo: string;
  /** Names this message; new for each. */
  readonly deliveryTag: string;
  /** Seconds since 1970. Celery's client sets it; no worker looks at it. */
  readonly expires: number;
}

/**
 * The request as kombu's virtual transport puts it on the wire (kombu/pidbox.py `Mailbox._publish`,
 * kombu/transport/virtual/base.py `Channel.prepare_message`), every field that Celery's own client sends.
 *
 * A message of another form ends a worker's process or its consumer, so this is the only encoder there is.
 * `clock` stays 0: a worker sets its logical clock to the larger of the two. The reply goes to the anonymous
 * exchange, which is one LPUSH to `replyTo` and needs no binding.
 */
export function encodeRequest(request: Request): string {
  const body = {
    method: request.method,
    arguments: {},
    destination: request.destination === "everyone" ? null : request.destination,
    pattern: null,
    matcher: null,
    ticket: request.ticket,
    reply_to: { exchange: "", routing_key: request.replyTo },
  };
  return JSON.stringify({
    body: Buffer.from(JSON.stringify(body), "utf8").toString("base64"),
    "content-encoding": "utf-8",
    "content-type": "application/json",
    headers: { clock: 0, expires: request.expires },
    properties: {
      delivery_mode: 2,
      delivery_info: { exchange: PIDBOX_EXCHANGE, routing_key: "" },
      priority: 0,
      body_encoding: "base64",
      delivery_tag: request.deliveryTag,
    },
  });
}

/** A worker's reply, as far as it can be read. */
export interface Answer {
  readonly ticket: string;
  readonly said: Said;
}

/**
 * Who answered with what. `unread`: the body is in a serialisation that is not read here (pickle, yaml, msgpack:
 * Celery ≥ 5.1 replies in the worker's `task_serializer`), its bytes as Latin-1 text. The ticket still proves that
 * somebody we asked answered, and all of these write the node's name as it is.
 */
export type Said =
  | { readonly kind: "read"; readonly node: string; readonly result: unknown }
  | { readonly kind: "unread"; readonly bytes: string };

/**
 * Reads one element of a reply list. `null` for what is no reply to anybody: the tombstone, foreign or damaged
 * text. Nothing is guessed.
 */
export function decodeReply(text: string): Answer | null {
  const envelope = asObject(parseJson(text));
  const ticket = asObject(envelope?.["headers"])?.["ticket"];
  const body = envelope?.["body"];
  if (envelope === null || typeof ticket !== "string" || typeof body !== "string") return null;
  const encoding = asObject(envelope["properties"])?.["body_encoding"];
  const bytes = Buffer.from(body, encoding === "base64" ? "base64" : "utf8");
  if (envelope["content-type"] !== "application/json") {
    return { ticket, said: { kind: "unread", bytes: bytes.toString("latin1") } };
  }
  const said = asObject(parseJson(bytes.toString("utf8")));
  const entries = said === null ? [] : Object.entries(said);
  const entry = entries[0];
  if (entry === undefined || entries.length !== 1) return null;
  return { ticket, said: { kind: "read", node: entry[0], result: entry[1] } };
}

/** Whether a reply's result is what `ping` gives on every version: `{"ok": "pong"}`. */
export function isPong(result: unknown): boolean {
  return asObject(result)?.["ok"] === "pong";
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function asObject(value: unknown): Readonly<Record<string, unknown>> | null {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : null;
}
