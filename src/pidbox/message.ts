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
 * The questions that may be asked. Some messages harm a worker: its reply cannot be serialised, or the message changes
 * something. So only the methods in this list can be encoded.
 */
export type Question =
  | { readonly method: "ping" | "clock" | "stats" | "active_queues" | "active" | "report" }
  | { readonly method: "reserved" | "scheduled" | "revoked" }
  | { readonly method: "registered"; readonly taskInfo: readonly string[]; readonly builtins: boolean }
  | { readonly method: "conf"; readonly withDefaults: boolean }
  | { readonly method: "query_task"; readonly ids: readonly string[] };

/**
 * The arguments of each method (celery/worker/control.py). With `safe`, workers from Celery 5.2 on describe the
 * arguments of tasks instead of sending them. An argument that cannot be serialised would end the worker's control
 * connection.
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
      // The types make this line unreachable. It is here so that no other method is ever sent.
      throw new Error(`no such method: ${JSON.stringify(question satisfies never)}`);
  }
}

/** A question, and where the answer goes. */
export interface Request {
  readonly question: Question;
  readonly destination: Destination;
  /** It comes back in the headers of every reply to this request. */
  readonly ticket: string;
  /** Celery's `control_exchange`. */
  readonly controlExchange: string;
  /** The list that replies are pushed to. */
  readonly replyTo: string;
  /** Names this message. Each message has a new one. */
  readonly deliveryTag: string;
  /** Seconds since 1970. Celery's client sets it, but no worker reads it. */
  readonly expires: number;
}

/**
 * The request in the form that kombu's virtual transport sends (kombu/pidbox.py `Mailbox._publish`,
 * kombu/transport/virtual/base.py `Channel.prepare_message`). It has every field that Celery's own client sends.
 *
 * A message of another form ends a worker's process or its consumer, so there is no other encoder. `clock` stays 0: a
 * worker sets its logical clock to the larger of the two. The reply goes to the anonymous exchange, which is one LPUSH
 * to `replyTo` and needs no binding.
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

/** A worker's reply: all of it, or the parts that can be read. */
export interface Answer {
  readonly ticket: string;
  readonly said: Said;
}

/**
 * Who answered, and what. `unread`: the body has a format that we do not read (pickle, yaml, msgpack), and is given as
 * Latin-1 text. Celery ≥ 5.1 replies in the worker's `task_serializer`. The ticket still proves that a node which we
 * asked has answered, and all these formats write the node's name unchanged.
 */
export type Said =
  | { readonly kind: "read"; readonly node: string; readonly result: unknown }
  | { readonly kind: "unread"; readonly bytes: string }
  | ({ readonly kind: "over-bound" } & OverBound);

/** An answer over a limit, which is not decoded. */
export interface OverBound {
  /** Null: the answer does not begin with a node's name. */
  readonly node: string | null;
  readonly bound: keyof typeof MOST;
  /** The limit: characters (`total`: of all answers, see {@link Room}), levels or values. */
  readonly most: number;
  /** Its length on the list, in characters. */
  readonly length: number;
}

/** Which replies are decoded. */
export interface Wanted {
  /** The tickets of the requests; null: any ticket. */
  readonly tickets: ReadonlySet<string> | null;
  /** The length of the longest reply that is decoded, in characters. */
  readonly longest: number;
  /** Decoded replies use up this room. */
  readonly room: Room;
}

/**
 * Reads one element of a reply list. `null`: it is not a reply to us but the tombstone, foreign text or damaged text.
 * Nothing is guessed.
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

/**
 * How many characters at each end of a long reply we look at. The name is near the beginning, the ticket near the end.
 */
const END = 2_000;

/** Reads the name in a long reply, if it begins and ends like kombu's envelope (kombu/transport/virtual/base.py). */
function tooLong(text: string, bound: "length" | "total", most: number): Answer | null {
  const ticket = /"ticket": ?"([^"\\]{1,200})"/.exec(text.slice(-END))?.[1];
  if (ticket === undefined) return null;
  const body = /^\{"body": ?"([\w+/]+)/.exec(text.slice(0, END))?.[1] ?? "";
  return {
    ticket,
    said: overBound(bound, most, nodeAtHead(Buffer.from(body, "base64").toString("utf8")), text),
  };
}

/** The name at the beginning of `{"celery@web": …`. */
function nodeAtHead(body: string): string | null {
  if (!body.startsWith('{"')) return null;
  const name = parseJson(body.slice(1, endOfQuoted(body.slice(0, END), 1)));
  return typeof name === "string" ? name : null;
}

function overBound(bound: OverBound["bound"], most: number, node: string | null, text: string): Said {
  return { kind: "over-bound", node, bound, most, length: bytesBeforeCut(text) ?? text.length };
}

/** Whether a reply's result is the one that `ping` returns in every version: `{"ok": "pong"}`. */
export function isPong(result: unknown): boolean {
  return asObject(result)?.["ok"] === "pong";
}
