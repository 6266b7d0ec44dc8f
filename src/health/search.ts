import type { Channel, Command } from "../broker/channel.ts";
import type { Deadline } from "../deadline.ts";
import { boundNodes } from "../discovery/bound-nodes.ts";
import {
  type Called,
  type Found,
  hostOf,
  type Identified,
  identifyAll,
  identifyNamed,
  type Known,
} from "../discovery/identify.ts";
import { type Clients, likeliest, sight, type Sighted } from "../discovery/suspect.ts";
import { namesOf, type Target } from "../discovery/targets.ts";
import type { Host } from "../host.ts";
import { type Candidate, candidatesIn } from "../worker/candidates.ts";
import { examine } from "../worker/process.ts";
import type { SocketTables } from "../worker/sockets.ts";
import { workerByPid, type WorkerProcess } from "../worker/survey.ts";
import type { Look } from "./evidence.ts";
import { lastConnections } from "./main-loop.ts";
import type { CheckPlan } from "./plan.ts";

/** A node, its process if that is known by now, and what has been seen of it. */
export interface Patient {
  readonly node: string;
  readonly laterNode: string | null;
  worker: WorkerProcess | null;
  /** Its command line shows it. */
  readonly isSettled: boolean;
  readonly looks: Look[];
  /** Messages in its queues; null: not asked, or the broker does not say. */
  waiting: number | null;
}

/** Which processes are the nodes, by what has been seen so far. */
export interface Search {
  readonly patients: () => readonly Patient[];
  /** The program that is most likely the worker, if nothing shows whether it is. */
  readonly suspect: () => Sighted | null;
  /** Names of processes here that were not asked for. */
  readonly others: () => readonly string[];
  /** Whether no other process here may be a worker. */
  readonly isAlone: () => boolean;
  /** Looks at what /proc alone shows. */
  readonly begin: (tables: SocketTables) => void;
  /** Looks at what the broker's list shows, and which heartbeats have been heard by now. */
  readonly goOn: (list: Clients, tables: SocketTables) => Promise<void>;
}

/** The broker has not been asked. */
export const UNASKED: Clients = { rows: null, ourselves: null, alsoOurs: [], hasName: false };

/** A search and what it has found by now. */
interface Searching {
  readonly plan: CheckPlan;
  readonly host: Host;
  readonly deadline: Deadline;
  readonly channel: Channel | null;
  readonly called: () => readonly Called[];
  /** Workers that their command lines show. */
  readonly known: readonly WorkerProcess[];
  patients: readonly Patient[];
  /** Nodes that are bound; null: not asked yet, or the broker does not say. */
  bound: readonly string[] | null;
  suspect: Sighted | null;
  others: readonly string[];
  isAlone: boolean;
}

/**
 * Looks for the processes of nodes that no command line shows. If a pid file names the worker, no other process is
 * looked for.
 *
 * @param channel null: the broker cannot be asked
 * @param called the nodes whose heartbeats have been heard
 */
export function startSearch(
  plan: CheckPlan,
  host: Host,
  deadline: Deadline,
  channel: Channel | null,
  called: () => readonly Called[],
): Search {
  const searching: Searching = {
    plan,
    host,
    deadline,
    channel,
    called,
    known: plan.place.kind === "out-of-sight" ? [] : plan.place.survey.workers,
    patients: plan.targets.map((target) => ({
      ...target,
      isSettled: target.worker !== null,
      looks: [],
      waiting: null,
    })),
    bound: null,
    suspect: null,
    others: plan.others,
    isAlone: true,
  };
  return {
    patients: () => searching.patients,
    suspect: () => searching.suspect,
    others: () => searching.others,
    isAlone: () => searching.isAlone,
    begin(tables) {
      if (plan.pidfile === null) begin(searching, tables);
    },
    async goOn(list, tables) {
      if (plan.pidfile !== null) return;
      findForks(searching, list, tables);
      if (searching.patients.some(({ isSettled }) => !isSettled))
        await findTheMissing(searching, list, tables);
    },
  };
}

function begin(searching: Searching, tables: SocketTables): void {
  const { host, known, patients } = searching;
  const candidates = candidatesIn(host.proc, known);
  const isAnother = ({ isPython, parent }: Candidate) => isPython === true && !isKnown(searching, parent);
  searching.isAlone = known.length < 2 && !candidates.some(isAnother);
  if (patients.some(({ worker }) => worker === null))
    searching.suspect = likeliest(sight(host.proc, candidates, UNASKED, tables));
}

/**
 * A worker without a connection may have a fork that does the work: for example a management command that starts itself
 * again.
 */
function findForks({ host, known, patients }: Searching, list: Clients, tables: SocketTables): void {
  const isWaiting = ({ isSettled, looks }: Patient) => isSettled && lastConnections(looks)?.kind === "none";
  const [patient, another] = patients.filter(isWaiting);
  if (patient === undefined || another !== undefined) return;
  const forks = candidatesIn(host.proc, known).filter(({ parent }) => parent === patient.worker?.pid);
  const seen = sight(host.proc, forks, list, tables);
  const [only, second] = seen.filter(({ shows }) => shows === "worker");
  if (only !== undefined && second === undefined) take(host, patient, only.candidate);
}

/** Finds workers that no command line shows. Every look may show them. */
async function findTheMissing(searching: Searching, list: Clients, tables: SocketTables): Promise<void> {
  const { plan, host, channel, known } = searching;
  const candidates = candidatesIn(host.proc, known).filter(({ parent }) => !isKnown(searching, parent));
  const seen = sight(host.proc, candidates, list, tables);
  if (searching.bound === null && channel !== null) searching.bound = await askBound(searching, channel);
  const identified = identify(searching, seen);
  const { otherwise, unknown } = identified;
  searching.others = [...new Set([...plan.others, ...otherwise.map(({ node }) => node)])];
  searching.suspect = likeliest(unknown);
  searching.patients = patientsBy(searching, identified);
}

/** The processes to look at from now on. */
function patientsBy({ plan, host, patients }: Searching, { found, otherwise }: Identified): Patient[] {
  const settled = patients.filter(({ isSettled }) => isSettled);
  const before = patients.filter(({ isSettled }) => !isSettled);
  const taken = found.flatMap((one) => patientOf(plan, host, one, before));
  // A process that was found stays, even after it has ended, unless its heartbeats contradict it.
  const kept = before.filter(
    ({ node, worker }) =>
      worker !== null &&
      ![...taken, ...otherwise.map(({ candidate }) => ({ worker: candidate }))].some(
        (other) => other.worker?.pid === worker.pid,
      ) &&
      !(plan.isNamed && taken.some((other) => other.node === node)),
  );
  const isVacant = (node: string) =>
    plan.isNamed ? [...taken, ...kept].every((one) => one.node !== node) : taken.length + kept.length === 0;
  const vacant = plan.targets
    .filter(({ node, worker }) => worker === null && isVacant(node))
    .map(
      (target) =>
        before.find(({ node, worker }) => worker === null && node === target.node) ?? nobody(host, target),
    );
  return [...settled, ...kept, ...taken, ...vacant];
}

/** Used for a node whose process has just been recognised as another node's. */
function nobody(host: Host, target: Target): Patient {
  return {
    ...target,
    worker: null,
    isSettled: false,
    looks: [{ atMs: host.now(), process: null, connections: null }],
    waiting: null,
  };
}

function patientOf(
  plan: CheckPlan,
  host: Host,
  { node, candidate }: Found,
  before: readonly Patient[],
): readonly Patient[] {
  const known = before.find(({ worker }) => worker?.pid === candidate.pid);
  const laterNode = plan.targets.find((target) => target.node === node)?.laterNode ?? null;
  const patient: Patient = { node, laterNode, worker: null, isSettled: false, looks: [], waiting: null };
  if (known !== undefined) return [{ ...known, node, laterNode }];
  take(host, patient, candidate);
  return patient.worker === null ? [] : [patient];
}

function identify({ plan, host, called, bound, patients }: Searching, seen: readonly Sighted[]): Identified {
  const about: Known = {
    hostname: host.hostname,
    heard: called(),
    bound,
    placed: [...plan.others, ...patients.filter(({ isSettled }) => isSettled).flatMap(namesOf)],
  };
  const missing = plan.targets.flatMap(({ node, worker }) => (worker === null ? [node] : []));
  return plan.isNamed ? identifyNamed(missing, seen, about) : identifyAll(missing[0] ?? "", seen, about);
}

function take({ proc, now }: Host, patient: Patient, { pid }: Candidate): void {
  const found = workerByPid(proc, pid, "connections");
  if (found === null) return;
  if (patient.worker !== null) patient.looks.length = 0;
  patient.worker = found;
  // Without a process, a look would report that the process has gone.
  const process = examine(proc, found.pid, found.startTicks);
  patient.looks.push({ atMs: now(), process, connections: null });
}

/** Asks for the bound nodes that may be on this host, or on the hosts in the names of the asked nodes. */
function askBound(
  { plan, host, deadline, patients }: Searching,
  channel: Channel,
): Promise<readonly string[] | null> {
  const hosts = new Set([host.hostname, ...patients.map(({ node }) => hostOf(node))]);
  const send = async (commands: readonly Command[]) => {
    const sent = await channel.send(commands, deadline.atMost(plan.connectTimeout));
    return sent.ok ? sent.value : null;
  };
  return boundNodes(send, plan.naming, [...hosts]);
}

function isKnown({ known }: Searching, pid: number): boolean {
  return known.some((worker) => worker.pid === pid);
}
