import { type Destination, pidboxExchange } from "../broker/keys.ts";
import { bytesBeforeCut } from "../broker/cut-text.ts";
import {
  asObject,
  MOST,
  openEnvelope,
  parseJson,
  type Room,
  roomFor,
  sizeOf,
  startRoom,
} from "./envelope.ts";
import { parsePythonJson } from "./python-json.ts";
import { endOfQuoted } from "./quoted.ts";

/**
 * What may be asked. Some messages harm a worker: its reply cannot be serialised, or the message changes something.
 * So only the methods in this list can be encoded.
 */
export type Question =
  | { readonly method: "ping" | "clock" | "stats" | "active_queues" | "active" | "report" }
  | { readonly method: "reserved" | "scheduled" | "revoked" }
  | { readonly method: "registered"; readonly taskInfo: readonly string[]; readonly builtins: boolean }
  | { readonly method: "conf"; readonly withDefaults: boolean }
  | { readonly method: "query_task"; readonly ids: readonly string[] };

/**
 * The arguments of each method (celery/worker/control.py). With `safe`, workers from Celery 5.2 on describe arguments
 * of tasks instead of sending them. An argument that cannot be serialised would end the worker's control connection.
 */
function argumentsOf(question: Question): object {
  switch (question.method) {
    case "ping":
    case "clock":
    case "stats":
    case "active_queues":
    case "report":
    case "reserved":
    case "scheduled":
    case "revoked":
      return {};
    case "active":
      return { safe: true };
    case "registered":
      return { taskinfoitems: question.taskInfo, builtins: question.builtins };
    case "conf":
      return { with_defaults: question.withDefaults };
    case "query_task":
      return { ids: question.ids };
    default:
      // Compiled away by the types; a method of another list must not get onto the wire either.
      throw new Error(`no such method: ${JSON.stringify(question satisfies never)}`);
  }
}

/** What is asked, and where the answer goes. */
export interface Request {
  readonly question: Question;
  readonly destination: Destination;
  /** Comes back in the headers of every reply to this request. */
  readonly ticket: string;
  /** Celery's `control_exchange`. */
  readonly controlExchange: string;
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
    method: request.question.method,
    arguments: argumentsOf(request.question),
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
      delivery_info: { exchange: pidboxExchange(request.controlExchange), routing_key: "" },
      priority: 0,
      body_encoding: "base64",
      delivery_tag: request.deliveryTag,
    },
  });
}

/** A worker's reply, in full or in the parts that can be read. */
export interface Answer {
  readonly ticket: string;
  readonly said: Said;
}

/**
 * Who answered with what. `unread`: the body has an unread format (pickle, yaml, msgpack), as Latin-1 text. Celery ≥
 * 5.1 replies in the worker's `task_serializer`. The ticket still proves that somebody we asked answered, and all of
 * these write the node's name as it is.
 */
export type Said =
  | { readonly kind: "read"; readonly node: string; readonly result: unknown }
  | { readonly kind: "unread"; readonly bytes: string }
  | ({ readonly kind: "over-bound" } & OverBound);

/** An answer that is not decoded. */
export interface OverBound {
  /** Null: the answer does not begin as one. */
  readonly node: string | null;
  readonly bound: keyof typeof MOST;
  /** Where the bound lies: characters (`total`: of all answers, see {@link Room}), levels or values. */
  readonly most: number;
  /** Characters on the list. */
  readonly length: number;
}

/** Which replies are decoded. */
export interface Wanted {
  /** Of the requests; null: any. */
  readonly tickets: ReadonlySet<string> | null;
  /** Characters of the longest that is decoded. */
  readonly longest: number;
  /** What is decoded takes of it. */
  readonly room: Room;
}

/**
 * Reads one element of a reply list. `null` for text that is not a reply to us: the tombstone, foreign or damaged
 * text. Nothing is guessed.
 */
export function decodeReply(text: string, wanted: Partial<Wanted> = {}): Answer | null {
  const { tickets = null, longest = MOST.length, room = startRoom() } = wanted;
  const isOurs = (ticket: string) => tickets?.has(ticket) ?? true;
  const length = bytesBeforeCut(text) ?? text.length;
  if (length > Math.min(longest, room.left)) {
    const bound = length > longest ? "length" : "total";
    const answer = tooLong(text, bound, bound === "length" ? longest : MOST.total);
    return answer !== null && isOurs(answer.ticket) ? answer : null;
  }
  const envelope = openEnvelope(text);
  const ticket = envelope?.headers["ticket"];
  if (envelope === null || typeof ticket !== "string" || !isOurs(ticket)) return null;
  if (envelope.contentType !== "application/json") {
    room.left -= length;
    return { ticket, said: { kind: "unread", bytes: envelope.body.toString("latin1") } };
  }
  const body = envelope.body.toString("utf8");
  const { values, excess } = sizeOf(body);
  const needed = roomFor(length, values);
  const bound = excess ?? (needed > room.left ? "total" : null);
  if (bound !== null) return { ticket, said: overBound(bound, MOST[bound], nodeAtHead(body), text) };
  room.left -= needed;
  const said = asObject(parsePythonJson(body));
  const entries = said === null ? [] : Object.entries(said);
  const entry = entries[0];
  if (entry === undefined || entries.length !== 1) return null;
  return { ticket, said: { kind: "read", node: entry[0], result: entry[1] } };
}

/** How much of either end of a long reply is looked at, in characters: the name in front, the ticket behind. */
const END = 2_000;

/** Whose reply it is, if it begins and ends like kombu's envelope (kombu/transport/virtual/base.py). */
function tooLong(text: string, bound: "length" | "total", most: number): Answer | null {
  const ticket = /"ticket": ?"([^"\\]{1,200})"/.exec(text.slice(-END))?.[1];
  if (ticket === undefined) return null;
  const body = /^\{"body": ?"([\w+/]+)/.exec(text.slice(0, END))?.[1] ?? "";
  return {
    ticket,
    said: overBound(bound, most, nodeAtHead(Buffer.from(body, "base64").toString("utf8")), text),
  };
}

/** The name in `{"celery@web": …`. */
function nodeAtHead(body: string): string | null {
  if (!body.startsWith('{"')) return null;
  const name = parseJson(body.slice(1, endOfQuoted(body.slice(0, END), 1)));
  return typeof name === "string" ? name : null;
}

function overBound(bound: OverBound["bound"], most: number, node: string | null, text: string): Said {
  return { kind: "over-bound", node, bound, most, length: bytesBeforeCut(text) ?? text.length };
}

/** Whether a reply's result is what `ping` gives on every version: `{"ok": "pong"}`. */
export function isPong(result: unknown): boolean {
  return asObject(result)?.["ok"] === "pong";
}
