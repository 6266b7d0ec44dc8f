import type { BrokerTarget } from "../broker/url.ts";
import { bindingsOf, pidboxExchange } from "../broker/keys.ts";
import { infoFields } from "../broker/info.ts";
import type { Host } from "../host.ts";
import { asNumber, asText } from "../numbers.ts";
import { measure, type QueueKeys } from "./queue-lengths.ts";
import type { Send } from "./scan.ts";

/** Limits for databases and for prefixes. Each database costs a connection. */
const MOST = 4;

/** Messages that wait in another place than where this session's workers look. */
export interface OtherPlace {
  readonly db: number;
  readonly prefix: string;
  readonly queue: string;
  readonly length: number;
}

interface Here extends QueueKeys {
  readonly target: BrokerTarget;
  readonly send: Send;
  readonly controlExchange: string;
  /** In milliseconds, for each connection and each reply. */
  readonly waitMs: () => number;
}

/**
 * Finds other places where messages wait in queues of these names: under other prefixes, and in other databases.
 *
 * @param prefixes the other prefixes in this database
 */
export async function otherPlaces(
  host: Pick<Host, "now" | "connect">,
  names: readonly string[],
  here: Here,
  prefixes: readonly string[],
): Promise<readonly OtherPlace[]> {
  const { target, send, waitMs, prefix } = here;
  const found: OtherPlace[] = [];
  for (const other of prefixes.slice(0, MOST)) {
    found.push(...(await waitingIn(host, names, { ...here, prefix: other })));
  }
  const sent = await send([["INFO", "keyspace"]]);
  const [info] = sent.ok ? sent.value : [];
  const dbs = databasesIn(info?.ok === true ? asText(info.value) : "").filter((db) => db !== target.db);
  for (const db of dbs.slice(0, MOST)) {
    const there = { ...target, db };
    const channel = await host.connect(there, waitMs());
    if (!channel.ok) continue;
    const ask: Send = (commands) => channel.value.send(commands, waitMs());
    found.push(...(await waitingIn(host, names, { ...here, prefix, target: there, send: ask })));
    channel.value.close();
  }
  return found;
}

/** The databases that have keys. */
function databasesIn(info: string): readonly number[] {
  return [...infoFields(info).keys()].flatMap((name) => {
    const number = /^db(\d+)$/.exec(name)?.[1];
    return number === undefined ? [] : [Number(number)];
  });
}

/** Returns nothing if a worker has bound its mailbox there: then these messages are for that worker. */
async function waitingIn(
  host: Pick<Host, "now">,
  names: readonly string[],
  { target, send, prefix, lists, controlExchange }: Here,
): Promise<readonly OtherPlace[]> {
  const sent = await send([["SCARD", bindingsOf(pidboxExchange(controlExchange), prefix)]]);
  const [reply] = sent.ok ? sent.value : [];
  if (reply?.ok !== true || asNumber(reply.value) > 0) return [];
  const look = await measure(host, send, names, { prefix, lists });
  return [...(look?.lengths ?? [])].flatMap(([queue, length]) =>
    length === null || length === 0 ? [] : [{ db: target.db, prefix, queue, length }],
  );
}
