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

/** RFC 9562, appendix: the namespace for names that are URLs. */
const URL_NAMESPACE = "6ba7b811-9dad-11d1-80b4-00c04fd430c8";

/**
 * The list that workers push their replies to: one for each set of nodes asked, however often it is asked, so
 * that a probe every few seconds leaves one key and not thousands. It ends like Celery's own reply queues, which
 * any ACL that allows `celery inspect` allows.
 */
export function replyKey(destination: Destination, sha1: (bytes: Uint8Array) => Uint8Array): string {
  const name = destination === "everyone" ? "*" : JSON.stringify([...destination].sort());
  return `${uuidV5(URL_NAMESPACE, `celery-probe:${name}`, sha1)}.reply.${PIDBOX_EXCHANGE}`;
}

/** A name-based UUID, RFC 9562 section 5.5. */
function uuidV5(namespace: string, name: string, sha1: (bytes: Uint8Array) => Uint8Array): string {
  const digest = Buffer.from(
    sha1(Buffer.concat([Buffer.from(namespace.replaceAll("-", ""), "hex"), Buffer.from(name, "utf8")])),
  ).subarray(0, 16);
  digest.writeUInt8((digest.readUInt8(6) & 0x0f) | 0x50, 6);
  digest.writeUInt8((digest.readUInt8(8) & 0x3f) | 0x80, 8);
  return digest.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
