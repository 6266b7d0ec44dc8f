import { v5 as nameBasedUuid } from "uuid";

/** The settings of kombu and Celery that names are built from. The probe has options of the same names. */
export interface Naming {
  /** `global_keyprefix`: in front of every key and, since kombu 5.2.4, of every channel. */
  readonly prefix: string;
  /**
   * `fanout_prefix`: in front of the exchange in a channel's name. `{db}` stands for the database. Empty for `False`.
   */
  readonly fanoutPrefix: string;
  /** `control_exchange`. */
  readonly controlExchange: string;
}

/** Stands for the number of the database in `fanout_prefix`. */
export const DATABASE = "{db}";

/** The values if nobody sets them (kombu/transport/redis.py `Channel`, celery/app/defaults.py). */
export const DEFAULT_NAMING: Naming = { prefix: "", fanoutPrefix: "/{db}.", controlExchange: "celery" };

/**
 * The text that kombu puts between the parts of a binding, and between a queue's name and a priority. The option `sep`
 * can change it (kombu/transport/redis.py `Channel.sep`).
 */
export const SEPARATOR = "\x06\x16";

/** The receivers of a message: the named nodes, or everyone. */
export type Destination = readonly string[] | "everyone";

/** The exchange that control messages go to (kombu/pidbox.py `Mailbox`). */
export function pidboxExchange(controlExchange: string): string {
  return `${controlExchange}.pidbox`;
}

/** The queue of a node's control messages. Redis has no list for it. */
function pidboxQueue(node: string, controlExchange: string): string {
  return `${node}.${pidboxExchange(controlExchange)}`;
}

/**
 * The beginning of the keys of kombu's bindings. There is one set for each exchange (kombu/transport/redis.py
 * `_queue_bind`).
 */
export function bindingsOf(exchange: string, prefix: string): string {
  return `${prefix}_kombu.binding.${exchange}`;
}

/** kombu's own separator, and the one that Celery's documentation sets (broker_transport_options, "Redis Message Priorities"). */
export const USUAL_SEPARATORS: readonly string[] = [SEPARATOR, ":"];

/** The possible members for the binding of a node to a control exchange. */
export function pidboxBindings(node: string, controlExchange: string): readonly string[] {
  return USUAL_SEPARATORS.map((separator) => separator + separator + pidboxQueue(node, controlExchange));
}

/**
 * The queue of a member of a binding, `routing key SEP pattern SEP queue`; null: it names no queue. A name may contain
 * a separator that is not kombu's own. So such a separator counts only if the pattern between two of them is empty.
 */
export function queueOfBinding(member: string, separators = USUAL_SEPARATORS): string | null {
  for (const separator of separators) {
    const mark = separator === SEPARATOR ? separator : separator + separator;
    const at = member.lastIndexOf(mark);
    if (at !== -1) return member.slice(at + mark.length) || null;
  }
  return null;
}

/** The node that such a member binds to a control exchange; null: the member binds another queue. */
export function nodeOfBinding(member: string, controlExchange: string): string | null {
  const tail = pidboxQueue("", controlExchange);
  const queue = queueOfBinding(member);
  return queue?.endsWith(tail) === true ? queue.slice(0, -tail.length) : null;
}

/** The pub/sub channel that workers of database `db` listen on (kombu/transport/redis.py `_get_publish_topic`). */
export function controlChannel(db: number, naming: Naming = DEFAULT_NAMING): string {
  return naming.prefix + fanoutPrefix(naming, db) + pidboxExchange(naming.controlExchange);
}

/**
 * The hash in which a `serve` shares what it knows of workers, with one field for each node. Each control channel has
 * its own hash, because it reaches one fleet.
 */
export function sharedKey(db: number, naming: Naming): string {
  return `${naming.prefix}celery-probe.verdicts.${controlChannel(db, { ...naming, prefix: "" })}`;
}

function fanoutPrefix({ fanoutPrefix: template }: Naming, db: number): string {
  return template.replaceAll(DATABASE, String(db));
}

/** A way to a worker: the channel that it listens on, and the keys of the lists where its reply may arrive. */
export interface Route {
  readonly channel: string;
  readonly lists: readonly string[];
  /**
   * The channel's name does not contain the number of the database. So workers of all databases hear it, and each
   * replies to a list in its own database.
   */
  readonly ofAllDatabases?: true;
}

/**
 * The ways to a worker, the usual one first. The others are for older versions of kombu. Before 5.2.4 it subscribed
 * without `global_keyprefix`. Before 5.2.0 it did not know that setting. Before 5.4.0 it left the braces in the
 * channel's name if the URL named Sentinels.
 *
 * @param replyTo the routing key of the replies, which is the list's key without the prefix
 */
export function routesTo(
  db: number,
  naming: Naming,
  replyTo: string,
  bySentinel: boolean,
): readonly [Route, ...Route[]] {
  const lists = [naming.prefix + replyTo];
  const shared = naming.fanoutPrefix.includes(DATABASE) ? {} : { ofAllDatabases: true as const };
  const usual = { channel: controlChannel(db, naming), lists, ...shared };
  const unprefixed = {
    channel: controlChannel(db, { ...naming, prefix: "" }),
    lists: [...lists, replyTo],
    ...shared,
  };
  const braced = {
    channel: naming.prefix + naming.fanoutPrefix + pidboxExchange(naming.controlExchange),
    lists,
    ofAllDatabases: true as const,
  };
  return [
    usual,
    ...(naming.prefix === "" ? [] : [unprefixed]),
    ...(bySentinel && braced.channel !== usual.channel ? [braced] : []),
  ];
}

/** The exchange of the workers' events (Celery's `event_exchange`), and the routing key of a heartbeat. */
const EVENT_EXCHANGE = "celeryev";
const HEARTBEAT = "worker.heartbeat";

/**
 * Patterns for the heartbeats of any prefix and database. With `fanout_patterns: False`, all events share a channel.
 */
export function heartbeatPatterns(): readonly string[] {
  return [`*${EVENT_EXCHANGE}/${HEARTBEAT}`, `*.${EVENT_EXCHANGE}`];
}

/** The channels where workers of this database send their heartbeats. */
export function heartbeatChannels(db: number, naming: Naming = DEFAULT_NAMING): readonly string[] {
  const events = naming.prefix + fanoutPrefix(naming, db) + EVENT_EXCHANGE;
  return [`${events}/${HEARTBEAT}`, events];
}

/** The events that a worker sends about itself, by the ends of their channels. */
const WORKER_EVENTS = [HEARTBEAT, "worker.online", "worker.offline"];

/**
 * The channels with the events of this database's workers, and without other events. Workers use this pattern for their
 * gossip. An ACL compares patterns as text, so an ACL made for workers permits it.
 *
 * @param bySentinel whether workers may have left the braces in the name; see {@link routesTo}
 */
export function workerEventTopics(db: number, naming: Naming, bySentinel: boolean) {
  const usual = naming.prefix + fanoutPrefix(naming, db) + EVENT_EXCHANGE;
  const braced = naming.prefix + naming.fanoutPrefix + EVENT_EXCHANGE;
  const exchanges = bySentinel && braced !== usual ? [usual, braced] : [usual];
  return {
    broad: exchanges.map(literal).flatMap((events) => [`${events}/worker.*`, events]),
    exact: exchanges.flatMap((events) => [...WORKER_EVENTS.map((event) => `${events}/${event}`), events]),
  };
}

/** A pattern that matches only this text (Redis, `stringmatchlen`). */
function literal(text: string): string {
  return text.replace(/[*?[\]\\]/g, "\\$&");
}

/** What the channel of a heartbeat shows about the settings of its worker. */
export type Whence =
  | { readonly kind: "expected" }
  | { readonly kind: "other-database" }
  | { readonly kind: "other-prefix"; readonly prefix: string }
  | { readonly kind: "other-fanout-prefix"; readonly fanoutPrefix: string };

/** Compares a heartbeat's channel with the expected name; `null`: it is not the channel of a heartbeat. */
export function whenceOf(channel: string, db: number, naming: Naming): Whence | null {
  const lead = LEAD.exec(channel)?.[1];
  if (lead === undefined) return null;
  const { prefix, fanoutPrefix: template } = naming;
  // With the braces: the worker uses Sentinels and a kombu before 5.4.0.
  if (lead === prefix + fanoutPrefix(naming, db) || lead === prefix + template) return { kind: "expected" };
  const [, seen, number] = /^(.*)\/(\d{1,9})\.$/s.exec(lead) ?? [];
  if (seen !== undefined && template === DEFAULT_NAMING.fanoutPrefix) {
    return Number(number) === db ? { kind: "other-prefix", prefix: seen } : { kind: "other-database" };
  }
  const other = lead.startsWith(prefix) ? lead.slice(prefix.length) : lead;
  return { kind: "other-fanout-prefix", fanoutPrefix: other };
}

const LEAD = new RegExp(`^(.*)${EVENT_EXCHANGE}(?:/${HEARTBEAT.replace(".", "\\.")})?$`, "s");

/**
 * The list that workers push their replies to. Each set of nodes has one list, however often it is asked. So a probe
 * that runs every few seconds leaves one key, not thousands. The name ends like Celery's own reply queues. Any ACL that
 * allows `celery inspect` allows those.
 */
export function replyKey(destination: Destination, controlExchange = DEFAULT_NAMING.controlExchange): string {
  const name = destination === "everyone" ? "*" : JSON.stringify([...destination].sort());
  return `${nameBasedUuid(`celery-probe:${name}`, nameBasedUuid.URL)}.reply.${pidboxExchange(controlExchange)}`;
}
