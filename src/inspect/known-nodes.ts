import { brokerOf } from "../discovery/choose-broker.ts";
import type { Placement } from "../discovery/place.ts";
import type { Host } from "../host.ts";
import type { Session } from "../session/session.ts";
import { isConnectedTo, socketTables } from "../worker/sockets.ts";
import { workerNode, type WorkerProcess } from "../worker/survey.ts";

/**
 * The nodes of the workers in sight that belong to this session. They are connected to its server, and they use its
 * database or name no broker. Other workers on the machine have other brokers, and are not missing here.
 */
export function nodesInSight(place: Placement, { read, plan }: Session, host: Host): readonly string[] {
  if (place.kind !== "in-sight") return [];
  const remote = read.channel.ends()?.remote;
  if (remote === undefined) return [];
  const tables = socketTables(host.proc);
  const isOurs = (worker: WorkerProcess): boolean => {
    const isThere = () => isConnectedTo(host.proc, worker.pid, remote, tables);
    const broker = brokerOf(worker);
    if (broker === null) return plan.broker.origin.kind === "connection" && isThere();
    const db = broker.kind === "servers" ? broker.servers[0].db : broker.master.db;
    return db === read.target.db && isThere();
  };
  return place.survey.workers.filter(isOurs).map((worker) => workerNode(worker, host.hostname, host.env));
}

/**
 * Finds the node that sent these bytes: every format of kombu contains the node's name as plain text.
 *
 * @param bytes as Latin-1 text
 * @returns null if they contain none of the names
 */
export function nodeIn(bytes: string, names: Iterable<string>): string | null {
  const found = [...names].filter((name) => bytes.includes(Buffer.from(name, "utf8").toString("latin1")));
  // If one name is the end of another, the longer name was written.
  return found.sort((a, b) => b.length - a.length)[0] ?? null;
}
