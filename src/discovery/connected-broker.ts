import type { BrokerFailure, Unnamed } from "../broker/failure.ts";
import { type BrokerTarget, placeText, targetText } from "../broker/url.ts";
import type { BrokerConfig } from "../cli/options.ts";
import type { Host } from "../host.ts";
import { hasLostVariables, wholeEnvironment } from "../worker/environment.ts";
import { statusOf } from "../worker/process-status.ts";
import { socketTables } from "../worker/sockets.ts";
import { askAround, type Clues, type Found, STRONGEST, strength } from "./ask-around.ts";
import type { ChosenBroker } from "./choose-broker.ts";
import { serversInUse } from "./servers-in-use.ts";
import { databasesIn, loginsIn, socketsIn, type UrlVariable, urlsIn } from "./variables.ts";

/** What the connections of the processes show. */
export interface Sought {
  readonly broker: ChosenBroker | null;
  /** Why the broker cannot be used, or that none is known; null: it can be used. */
  readonly failure: BrokerFailure | null;
}

/**
 * The broker that these processes are connected to: the server where they fetch and listen. A server for their results
 * or cache does not count.
 *
 * Passwords come from the worker's own variables, and only from variables that are the broker's by their names. They go
 * only to servers that the worker is connected to.
 *
 * @param leftMs the time left for the run, in milliseconds. The search takes at most half of it, and each of its
 * connections at most --connect-timeout
 */
export async function findConnectedBroker(
  pids: readonly number[],
  config: BrokerConfig,
  host: Host,
  leftMs: number,
): Promise<Sought> {
  const end = host.now() + leftMs / 2;
  const left = () => Math.max(0, end - host.now());
  const tables = socketTables(host.proc, left);
  const ours = new Map(Object.entries(host.env).flatMap(([name, text = ""]) => [[name, text] as const]));
  let best: (Found & { readonly clues: Clues }) | null = null;
  let first: Unnamed | null = null;
  for (const pid of pids) {
    const own = wholeEnvironment(host.proc, pid);
    const isLost = hasLostVariables(host.proc, pid);
    const environments = own === null ? [ours] : [own, ours];
    const inUse = serversInUse(host.proc, pid, tables);
    const clues: Clues = {
      pid,
      inUse,
      urls: urlsIn(environments),
      // In another network the address may belong to another server, so no password is sent. If a title has overwritten
      // the worker's environment, the container's own passwords are used as the worker's.
      logins: inUse.isOtherNetwork ? [] : loginsIn(new Map([...(isLost ? ours : []), ...(own ?? [])])),
      databases: databasesIn(environments),
      sockets: socketsIn(environments),
      unread: own === null && !isLost ? whoReads(pid, host) : null,
    };
    first ??= unnamed(clues, null);
    for (const found of await askAround(clues, config, host, left)) {
      if (strength(found.answer) > (best === null ? 0 : strength(best.answer))) best = { ...found, clues };
    }
    if (best !== null && strength(best.answer) === STRONGEST) break;
  }
  if (best === null) {
    const nowhere = { kind: "unreachable", cause: "not-named", detail: "" } as const;
    return { broker: null, failure: first === null ? null : { ...nowhere, unnamed: first } };
  }
  const { answer, clues } = best;
  const broker = chosen(best, clues);
  if (answer.kind !== "closed") return { broker, failure: null };
  const place = { ...best.way.target, db: clues.databases[0] ?? 0, password: MISSING };
  return { broker, failure: { ...answer.failure, unnamed: unnamed(clues, targetText(place)) } };
}

/** Stands in a URL for the password that the user has to fill in. */
const MISSING = "PASSWORD";

function unnamed({ pid, inUse, unread }: Clues, url: string | null): Unnamed {
  const isSeen = inUse.kind === "own" || inUse.kind === "shared";
  const lost = [
    ...new Set(inUse.lost.map(({ address, port }) => placeText({ kind: "tcp", host: address, port }))),
  ];
  return { pid, isSeen, url, lost, unread };
}

function whoReads(pid: number, { proc }: Host): NonNullable<Unnamed["unread"]> {
  return { user: statusOf(proc, pid)?.uid ?? null, ourUser: statusOf(proc, proc.self)?.uid ?? null };
}

/** The broker in the database that the process uses. If the URL already names this database, it is kept as it is. */
function chosen({ way, answer }: Found, clues: Clues): ChosenBroker {
  const { url, by, target } = way;
  const { pid } = clues;
  if (answer.kind !== "open") {
    const db = clues.databases[0] ?? 0;
    // The password that was refused is left out.
    const refused = { place: target.place, tls: target.tls, db };
    return answer.kind === "closed"
      ? { url: brokerAt(refused), origin: { kind: "connection", pid, by: [] } }
      : { url: brokerAt({ ...target, db }), origin: { kind: "connection", pid, by } };
  }
  const named = url === null ? clues.databases : [target.db];
  const db = answer.databases.find((one) => named.includes(one)) ?? answer.databases[0] ?? named[0] ?? 0;
  const chosen = {
    origin: { kind: "connection", pid, by },
    ...(answer.isWatched ? { bySentinels: true as const } : {}),
  } as const;
  if (url?.broker.kind === "sentinel") {
    const master = { ...url.broker.master, db };
    return { url: { ...url, broker: { ...url.broker, master } }, ...chosen };
  }
  return { url: url !== null && target.db === db ? url : brokerAt({ ...target, db }), ...chosen };
}

function brokerAt(target: BrokerTarget): UrlVariable["url"] {
  return { text: targetText(target), broker: { kind: "servers", servers: [target] } };
}
