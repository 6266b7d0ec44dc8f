import { chooseBrokers } from "../discovery/choose-broker.ts";
import type { CommandConfig } from "../cli/command-options.ts";
import type { Origin } from "../cli/options.ts";
import type { Host } from "../host.ts";
import type { Session } from "../session/session.ts";
import { isConnectedTo, socketTables } from "../worker/sockets.ts";
import { workerNode, type WorkerProcess } from "../worker/survey.ts";

/** What kombu puts between the parts of a binding (`Channel.sep`). */
const SEP = "\x06\x16";

/** How many names are read of a binding: those that have ended badly stay in it. */
const MOST_BOUND = 1_000;

const BY_DEFAULT: Origin = { kind: "default" };

/**
 * The nodes of the workers in sight that belong to this session: connected to its server, and told the same database.
 * Others on the machine are somebody else's, and not missing here.
 */
export function nodesInSight(
  config: CommandConfig<"inspect">,
  { plan, read }: Session,
  host: Host,
): readonly string[] {
  if (plan.place.kind !== "in-sight") return [];
  const remote = read.channel.ends()?.remote;
  if (remote === undefined) return [];
  const tables = socketTables(host.proc);
  const unnamed = {
    ...config,
    broker: { value: null, origin: BY_DEFAULT },
    "broker-env": { value: null, origin: BY_DEFAULT },
  };
  const isOurs = (worker: WorkerProcess): boolean => {
    const chosen = chooseBrokers(unnamed, host, [worker]);
    if (!chosen.ok || chosen.value.read.origin.kind !== "worker") return false;
    const { broker } = chosen.value.read.url;
    const db = broker.kind === "servers" ? broker.servers[0].db : broker.master.db;
    return db === read.target.db && isConnectedTo(host.proc, worker.pid, remote, tables);
  };
  return plan.place.survey.workers
    .filter(isOurs)
    .map((worker) => workerNode(worker, host.hostname, host.env));
}

/**
 * Nodes that were ever bound to the control exchange and never said goodbye (kombu/transport/redis.py `_queue_bind`):
 * names to recognise, no sign that any of them is there. Empty where they may not be read.
 */
export async function boundNodes({ plan, send }: Session): Promise<readonly string[]> {
  const { prefix, controlExchange } = plan.naming;
  const key = `${prefix}_kombu.binding.${controlExchange}.pidbox`;
  const sent = await send([["SSCAN", key, 0, "COUNT", MOST_BOUND]]);
  const reply = sent.ok ? sent.value[0] : undefined;
  const members: unknown = reply?.ok && Array.isArray(reply.value) ? reply.value[1] : [];
  const tail = `.${controlExchange}.pidbox`;
  return (Array.isArray(members) ? members : [])
    .map((member) => String(member).split(SEP).at(-1) ?? "")
    .filter((queue) => queue.endsWith(tail))
    .map((queue) => queue.slice(0, -tail.length));
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
