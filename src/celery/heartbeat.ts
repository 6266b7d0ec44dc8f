import { isCount } from "../numbers.ts";
import { ownEntry } from "../own-entry.ts";
import { asObject, openEnvelope, parseJson } from "../pidbox/envelope.ts";

/**
 * What every worker publishes each two seconds, without being asked (celery/worker/heartbeat.py,
 * celery/worker/state.py).
 */
export interface Heartbeat {
  /** Full node name. */
  readonly node: string;
  /** The pid of the main process, as seen in its own PID namespace. */
  readonly pid: number;
  /** The number of running tasks. */
  readonly active: number | null;
  /** The number of tasks begun since the worker's start. */
  readonly processed: number | null;
  /** Celery's version. */
  readonly version: string | null;
  /** The channel on which it was heard. */
  readonly channel: string;
}

/**
 * In milliseconds. Within this time every worker sends a heartbeat: one comes every two seconds
 * (celery/worker/heartbeat.py), unless `--heartbeat-interval` says otherwise.
 */
export const HEARD_WITHIN_MS = 2_500;

/** The most characters of a message that is parsed. Real ones have about 700. */
const LONGEST = 65_536;

/** Characters of a node's name: DNS allows 253 for a host's name, and `-n` puts a word before it. */
const LONGEST_NODE = 1_000;

/** Characters of Celery's version; it has ten at most. */
const LONGEST_VERSION = 100;

/**
 * An event that a worker sends about itself: it came online, is alive, or goes offline (celery/worker/heartbeat.py
 * `Heart`).
 */
export interface WorkerEvent extends Heartbeat {
  readonly kind: "heartbeat" | "online" | "offline";
  /** Seconds between two heartbeats of this worker (`--heartbeat-interval`). */
  readonly everyS: number | null;
  /** When it was sent, in seconds since 1970 by the worker's clock. */
  readonly sentS: number | null;
}

const KINDS: Readonly<Record<string, WorkerEvent["kind"]>> = {
  "worker-heartbeat": "heartbeat",
  "worker-online": "online",
  "worker-offline": "offline",
};

/**
 * Reads a message of the event exchange. Null for other events, for damaged or very long text, and for serialisations
 * other than JSON (`event_serializer`).
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
 * Reads a heartbeat; see {@link decodeWorkerEvent}. The events for online and offline do not count: only a heartbeat
 * shows that the worker's event loop runs.
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
