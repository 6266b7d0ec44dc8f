import { v5 as nameBasedUuid } from "uuid";

/** Names of the control exchange as kombu writes them (kombu/pidbox.py, kombu/transport/redis.py). */
export const PIDBOX_EXCHANGE = "celery.pidbox";

/** Whom a message is for: the nodes named, or everyone. */
export type Destination = readonly string[] | "everyone";

/**
 * The pub/sub channel that workers of database `db` listen on: kombu's `fanout_prefix` is `/{db}.`.
 *
 * @param globalKeyPrefix kombu's `global_keyprefix`, which since kombu 5.2.4 stands before channels too
 */
export function controlChannel(db: number, globalKeyPrefix = ""): string {
  return `${globalKeyPrefix}/${db}.${PIDBOX_EXCHANGE}`;
}

/** The exchange of the workers' events (Celery's `event_exchange`), and what a heartbeat has for a routing key. */
const EVENT_EXCHANGE = "celeryev";
const HEARTBEAT = "worker.heartbeat";

/** Patterns for the heartbeats of any prefix and database; with `fanout_patterns: False` all events share a channel. */
export function heartbeatPatterns(): readonly string[] {
  return [`*${EVENT_EXCHANGE}/${HEARTBEAT}`, `*.${EVENT_EXCHANGE}`];
}

/** The channels where workers of this database and `global_keyprefix` send their heartbeats. */
export function heartbeatChannels(db: number, globalKeyPrefix = ""): readonly string[] {
  const events = `${globalKeyPrefix}/${db}.${EVENT_EXCHANGE}`;
  return [`${events}/${HEARTBEAT}`, events];
}

/** Which workers a heartbeat's channel belongs to; `null` where it names no database (another `fanout_prefix`). */
export function placeOf(channel: string): { readonly prefix: string; readonly db: number } | null {
  const parts = PLACED.exec(channel);
  return parts === null ? null : { prefix: parts[1] ?? "", db: Number(parts[2]) };
}

const PLACED = new RegExp(`^(.*)/(\\d{1,9})\\.${EVENT_EXCHANGE}(?:/${HEARTBEAT.replace(".", "\\.")})?$`, "s");

/**
 * The list that workers push their replies to: one for each set of nodes asked, however often it is asked, so
 * that a probe every few seconds leaves one key and not thousands. It ends like Celery's own reply queues, which
 * any ACL that allows `celery inspect` allows.
 */
export function replyKey(destination: Destination): string {
  const name = destination === "everyone" ? "*" : JSON.stringify([...destination].sort());
  return `${nameBasedUuid(`celery-probe:${name}`, nameBasedUuid.URL)}.reply.${PIDBOX_EXCHANGE}`;
}
