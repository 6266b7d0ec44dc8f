import { asText } from "../numbers.ts";
import { parseClientList } from "../broker/client-list.ts";
import type { BrokerTarget } from "../broker/url.ts";
import type { Deadline } from "../deadline.ts";
import type { Host } from "../host.ts";
import type { Channel, Reply } from "../broker/channel.ts";
import { attribute } from "../worker/connections.ts";
import type { Clients } from "../discovery/suspect.ts";
import { namesOf } from "../discovery/targets.ts";
import { examine } from "../worker/process.ts";
import { socketsOf, type SocketTables, socketTables } from "../worker/sockets.ts";
import type { Survey, WorkerProcess } from "../worker/survey.ts";
import { elsewhereOf, type NameSight, watchName } from "./broker-name.ts";
import type { BrokerName, NodeEvidence } from "./evidence.ts";
import { askLengths, DEFAULT_QUEUE } from "../celery/queues.ts";
import { beats, queuesOf } from "../celery/worker-settings.ts";
import { type Ear, openEar } from "./hear.ts";
import type { CheckPlan } from "./plan.ts";
import { processOf } from "./process-sight.ts";
import { type Patient, type Search, startSearch, UNASKED } from "./search.ts";

/**
 * The times of the looks, in milliseconds after the first: two quick ones for what must be certain, then one each
 * second.
 */
const LOOKS_MS = [0, 120, 1_250, 2_350, 3_450, 4_550];

/** How long a look waits for a name server, and for the server that the name has left, in milliseconds. */
const NAME_MS = 300;

/**
 * Characters of CLIENT LIST, which is 2,500 connections. After a longer list, its garbage is collected before the next
 * request. Otherwise five looks take 100 MB.
 */
const LARGE_LIST = 1_000_000;

/** What was seen of the broker besides the conversation with the worker; null: the broker did not say. */
export interface BrokerSight {
  readonly upS: number | null;
  readonly unacked: number | null;
  readonly brokerName: BrokerName | null;
}

/** What the looks need from the broker. */
export interface Line {
  /** To the broker that the workers fetch from. */
  readonly channel: Channel;
  /** The broker that they send their heartbeats to. */
  readonly heartbeats: BrokerTarget;
}

/** What the looks have shown so far. */
export interface Looks {
  readonly nodes: () => readonly NodeEvidence[];
  readonly broker: () => BrokerSight;
  readonly end: () => void;
}

/** The looks of one run, and what they have shown about the broker. */
interface Looking {
  readonly plan: CheckPlan;
  readonly host: Host;
  readonly deadline: Deadline;
  readonly line: Line | null;
  readonly survey: Survey | null;
  readonly ear: Ear | null;
  readonly name: NameSight | null;
  readonly search: Search;
  hasEnded: boolean;
  broker: Omit<BrokerSight, "brokerName">;
  collectGarbage: () => void;
}

/**
 * Examines workers that do not answer, while the caller waits for their answers. The first look at their processes is
 * taken at once, because the caller judges by it.
 *
 * @param line null: only processes are looked at
 * @param noted how many seconds a node has been silent, by the state file; null: the file does not say
 */
export function startLooks(
  plan: CheckPlan,
  host: Host,
  deadline: Deadline,
  line: Line | null,
  noted: (node: string, worker: WorkerProcess) => number | null,
): Looks {
  const ear: Ear | null = line === null ? null : openEar(plan, host, deadline, line.heartbeats);
  const looking: Looking = {
    plan,
    host,
    deadline,
    line,
    survey: plan.place.kind === "out-of-sight" ? null : plan.place.survey,
    ear,
    name: line === null ? null : watchName(plan, host),
    search: startSearch(plan, host, deadline, line?.channel ?? null, () => ear?.called() ?? []),
    hasEnded: false,
    broker: { upS: null, unacked: null },
    collectGarbage() {
      // Most lists are short.
    },
  };
  void run(looking);
  return {
    nodes: () => looking.search.patients().map((patient) => seenOf(looking, patient, noted)),
    broker: () => ({ ...looking.broker, brokerName: looking.name?.seen() ?? null }),
    end() {
      looking.hasEnded = true;
      ear?.close();
    },
  };
}

async function run(looking: Looking): Promise<void> {
  const { host, survey, search } = looking;
  const start = host.now();
  let tables = readTables(looking);
  if (survey !== null) search.begin(tables);
  for (const offset of LOOKS_MS) {
    if (offset > 0) await host.pause(Math.max(0, start + offset - host.now()));
    if (looking.hasEnded) return;
    if (offset > 0) tables = readTables(looking);
    await look(looking, tables);
  }
}

/** The tables of one look, for all workers in it. Reading 54,000 sockets takes a tenth of a second. */
function readTables({ host, deadline }: Looking): SocketTables {
  return socketTables(host.proc, () => deadline.left());
}

/** Takes one look at all workers. Their processes are seen at once, the broker's list as soon as it has arrived. */
async function look(looking: Looking, tables: SocketTables): Promise<void> {
  const { deadline, line, survey, name, search } = looking;
  const seen = search.patients().map((patient) => lookAt(looking, patient, tables));
  if (survey === null) return;
  const list = line === null ? UNASKED : await askBroker(looking, line.channel);
  if (list === null) return;
  if (line !== null)
    await Promise.all(search.patients().map((patient) => countWaiting(looking, line.channel, patient)));
  await search.goOn(list, tables);
  const attributed = seen.map(({ sockets }) =>
    sockets === null ? null : attribute({ sockets, ...list, alone: search.isAlone() }),
  );
  // A worker that is connected elsewhere may have found that server by the same name.
  const elsewhere = elsewhereOf(attributed);
  if (elsewhere.length > 0) await name?.look(list.rows, elsewhere, Math.min(NAME_MS, deadline.left()));
  for (const [at, { patient, position }] of seen.entries()) {
    const taken = patient.looks[position];
    const connections = attributed[at] ?? null;
    // The connections are dropped if another process has just been recognised as the worker. These sockets are not its
    // own.
    if (connections !== null && taken !== undefined) patient.looks[position] = { ...taken, connections };
  }
}

/** What /proc shows of one worker, and the position of this look in the list of its looks. */
function lookAt({ host }: Looking, patient: Patient, tables: SocketTables) {
  const { worker, looks } = patient;
  const process = worker === null ? null : examine(host.proc, worker.pid, worker.startTicks);
  const position = looks.push({ atMs: host.now(), process, connections: null }) - 1;
  // The sockets are read before the list is requested, so that every socket we see should be in the list.
  const sockets = worker === null ? null : socketsOf(host.proc, worker.pid, tables);
  return { patient, position, sockets };
}

async function askBroker(looking: Looking, channel: Channel): Promise<Clients | null> {
  const { plan, host, deadline, ear } = looking;
  looking.collectGarbage();
  const unackedKey = `${plan.naming.prefix}unacked`;
  const sent = await channel.send(
    [
      ["CLIENT", "LIST"],
      ["INFO", "server"],
      ["HLEN", unackedKey],
    ],
    deadline.atMost(plan.connectTimeout),
  );
  if (!sent.ok) return null;
  const [clients, info, unacked] = sent.value.map(valueOf);
  if (typeof clients === "string" && clients.length > LARGE_LIST)
    looking.collectGarbage = await host.spareMemory();
  const up = /^uptime_in_seconds:(\d+)/m.exec(asText(info));
  looking.broker = {
    upS: up === null ? looking.broker.upS : Number(up[1]),
    unacked: typeof unacked === "number" ? unacked : looking.broker.unacked,
  };
  const ends = ear?.ends();
  const alsoOurs = ends === null || ends === undefined ? [] : [ends.local];
  return {
    rows: parseClientList(clients),
    ourselves: channel.ends(),
    alsoOurs,
    hasName: hasName(plan.broker),
  };
}

/** If a worker sends no heartbeats, only its queues show that it should fetch. */
async function countWaiting(
  { plan, host, deadline }: Looking,
  channel: Channel,
  patient: Patient,
): Promise<void> {
  const { worker } = patient;
  if (worker === null || patient.waiting !== null || beats(worker, host.env)) return;
  const { queues } = plan.rules.work;
  const own = queues.length > 0 ? queues : (queuesOf(worker, host.env) ?? [DEFAULT_QUEUE]);
  const { commands, read } = askLengths(own, plan.naming.prefix);
  const sent = await channel.send(commands, deadline.atMost(plan.connectTimeout));
  const lengths = sent.ok ? [...read(sent.value).values()].map(({ messages }) => messages) : [];
  const told = lengths.filter((length) => length !== null);
  patient.waiting = told.length === 0 ? null : told.reduce((sum, length) => sum + length);
}

function seenOf(
  { plan, host, search, ear }: Looking,
  patient: Patient,
  noted: (node: string, worker: WorkerProcess) => number | null,
): NodeEvidence {
  const { node, laterNode, worker, looks, waiting } = patient;
  return {
    node,
    laterNode,
    process: processOf(plan, host, search, patient),
    looks,
    heartbeats: ear?.hearing(namesOf(patient), worker) ?? { kind: "not-listened" },
    waiting,
    silentSinceS: worker === null ? null : noted(node, worker),
  };
}

/** Whether the broker may have other addresses than the one that we are connected to. */
function hasName({ located }: CheckPlan["broker"]): boolean {
  if (located.kind === "sentinel") return true;
  return located.servers.some(({ place }) => place.kind === "tcp" && !/^[\d.]+$|:/.test(place.host));
}

function valueOf(reply: Reply): unknown {
  return reply.ok ? reply.value : null;
}
