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
 * Reads a message of the event exchange; `null` for other events, damaged text and serialisations other than JSON
 * (`event_serializer`). A worker that has just come online or goes offline says so in events of other types: only a
 * heartbeat tells that its loop turns.
 */
export function decodeHeartbeat(channel: string, text: string): Heartbeat | null {
  const envelope = openEnvelope(text);
  if (envelope?.contentType !== "application/json") return null;
  const event = asObject(parseJson(envelope.body.toString("utf8")));
  if (event?.["type"] !== "worker-heartbeat") return null;
  const node = event["hostname"];
  const pid = count(event["pid"]);
  if (typeof node !== "string" || node === "" || pid === null) return null;
  const version = event["sw_ver"];
  return {
    node,
    pid,
    active: count(event["active"]),
    processed: count(event["processed"]),
    version: typeof version === "string" ? version : null,
    channel,
  };
}

function count(value: unknown): number | null {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : null;
}
