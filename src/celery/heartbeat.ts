import { isCount } from "../numbers.ts";
import { ownEntry } from "../own-entry.ts";
import { asObject, openEnvelope, parseJson } from "../pidbox/envelope.ts";

/** What a worker says of itself every two seconds, unasked (celery/worker/heartbeat.py, celery/worker/state.py). */
export interface Heartbeat {
  /** Full node name. */
  readonly node: string;
  /** Of its main process, as that process sees it. */
  readonly pid: number;
  /** Tasks that run. */
  readonly active: number | null;
  /** Tasks that it has begun since it was started. */
  readonly processed: number | null;
  /** Celery's. */
  readonly version: string | null;
  /** Where it was heard. */
  readonly channel: string;
}

/**
 * Every worker that sends heartbeats has sent one within this time, in milliseconds: one comes every two seconds
 * (celery/worker/heartbeat.py), unless `--heartbeat-interval` says otherwise.
 */
export const HEARD_WITHIN_MS = 2_500;

/** Characters of a message: a real one has 700. What is longer is not even parsed. */
const LONGEST = 65_536;

/** Characters of a node's name: DNS allows 253 for a host's name, and `-n` puts a word before it. */
const LONGEST_NODE = 1_000;

/** Characters of Celery's version; it has ten at most. */
const LONGEST_VERSION = 100;

/** An event that a worker sends of itself: that it is there, has come or goes (celery/worker/heartbeat.py `Heart`). */
export interface WorkerEvent extends Heartbeat {
  readonly kind: "heartbeat" | "online" | "offline";
  /** Seconds between two of its heartbeats (`--heartbeat-interval`). */
  readonly everyS: number | null;
  /** When it was sent by the worker's own clock, in seconds since 1970. */
  readonly sentS: number | null;
}

const KINDS: Readonly<Record<string, WorkerEvent["kind"]>> = {
  "worker-heartbeat": "heartbeat",
  "worker-online": "online",
  "worker-offline": "offline",
};

/**
 * Reads a message of the event exchange; `null` for other events, damaged or endless text and serialisations other than
 * JSON (`event_serializer`).
 */
export function decodeWorkerEvent(channel: string, text: string): WorkerEvent | null {
  if (text.length > LONGEST) return null;
  const envelope = openEnvelope(text);
  if (envelope?.contentType !== "application/json") return null;
  const event = asObject(parseJson(envelope.body.toString("utf8")));
  const type = event?.["type"];
  const kind = typeof type === "string" ? ownEntry(KINDS, type) : undefined;
  if (event === null || kind === undefined) return null;
  const node = event["hostname"];
  const pid = count(event["pid"]);
  if (typeof node !== "string" || node === "" || node.length > LONGEST_NODE || pid === null) return null;
  const version = event["sw_ver"];
  return {
    kind,
    node,
    pid,
    active: count(event["active"]),
    processed: count(event["processed"]),
    version: typeof version === "string" && version.length <= LONGEST_VERSION ? version : null,
    everyS: positive(event["freq"]),
    sentS: positive(event["timestamp"]),
    channel,
  };
}

/**
 * A heartbeat alone; see {@link decodeWorkerEvent}. A worker that has just come online or goes offline says so in events
 * of other types: only a heartbeat tells that its loop turns.
 */
export function decodeHeartbeat(channel: string, text: string): Heartbeat | null {
  const event = decodeWorkerEvent(channel, text);
  if (event?.kind !== "heartbeat") return null;
  const { node, pid, active, processed, version } = event;
  return { node, pid, active, processed, version, channel };
}

function count(value: unknown): number | null {
  return isCount(value) ? value : null;
}

function positive(value: unknown): number | null {
  return typeof value === "number" && value > 0 && Number.isFinite(value) ? value : null;
}
