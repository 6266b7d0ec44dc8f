import { bindingsOf, nodeOfBinding, pidboxExchange } from "../broker/keys.ts";
import { brokerOf } from "../discovery/choose-broker.ts";
import type { Placement } from "../discovery/place.ts";
import type { Host } from "../host.ts";
import type { Session } from "../session/session.ts";
import { isConnectedTo, socketTables } from "../worker/sockets.ts";
import { workerNode, type WorkerProcess } from "../worker/survey.ts";

/** How many names are read of a binding: those that have ended badly stay in it. */
const MOST_BOUND = 1_000;

/**
 * The nodes of the workers in sight that belong to this session: connected to its server, and told the same database.
 * Others on the machine are somebody else's, and not missing here.
 */
export function nodesInSight(place: Placement, { read }: Session, host: Host): readonly string[] {
  if (place.kind !== "in-sight") return [];
  const remote = read.channel.ends()?.remote;
  if (remote === undefined) return [];
  const tables = socketTables(host.proc);
  const isOurs = (worker: WorkerProcess): boolean => {
    const broker = brokerOf(worker);
    if (broker === null) return false;
    const db = broker.kind === "servers" ? broker.servers[0].db : broker.master.db;
    return db === read.target.db && isConnectedTo(host.proc, worker.pid, remote, tables);
  };
  return place.survey.workers.filter(isOurs).map((worker) => workerNode(worker, host.hostname, host.env));
}

/**
 * Nodes that were ever bound to the control exchange and never said goodbye (kombu/transport/redis.py `_queue_bind`):
 * names to recognise, no sign that any of them is there. Empty where they may not be read.
 */
export async function boundNodes({ plan, send }: Session): Promise<readonly string[]> {
  const { prefix, controlExchange } = plan.naming;
  const key = bindingsOf(pidboxExchange(controlExchange), prefix);
  const sent = await send([["SSCAN", key, 0, "COUNT", MOST_BOUND]]);
  const reply = sent.ok ? sent.value[0] : undefined;
  const members: unknown = reply?.ok && Array.isArray(reply.value) ? reply.value[1] : [];
  return (Array.isArray(members) ? members : []).flatMap(
    (member) => nodeOfBinding(String(member), controlExchange) ?? [],
  );
}

/**
 * Whose answer these bytes are: every serialisation that kombu has writes the node's name as it is.
 *
 * @param bytes as Latin-1 text
 * @returns null where none of the names stands in it
 */
export function nodeIn(bytes: string, names: Iterable<string>): string | null {
  const found = [...names].filter((name) => bytes.includes(Buffer.from(name, "utf8").toString("latin1")));
  // Of two names of which one ends the other, the longer one was written.
  return found.sort((a, b) => b.length - a.length)[0] ?? null;
}
