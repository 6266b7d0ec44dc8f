import { parseClientList } from "../broker/client-list.ts";
import type { Host } from "../host.ts";
import type { Session } from "../session/session.ts";
import { attribute, pausedFor, polling } from "../worker/connections.ts";
import { haltOf } from "../worker/halt.ts";
import { detailsOf } from "../worker/in-sight.ts";
import { examine, type ProcessLook } from "../worker/process.ts";
import { socketsOf, socketTables } from "../worker/sockets.ts";
import { laterWorkerNode, survey, workerNode, type WorkerProcess } from "../worker/survey.ts";
import { residentBytes } from "../worker/usage.ts";
import type { LocalCheck } from "./check-local.ts";
import { type FleetState, type NodeState, nodeOf, type SeenVerdict } from "./fleet-state.ts";
import { isFresh, missOne, showsLife, silentAfterMs } from "./signs.ts";

/** How to look at workers in sight. */
export interface LocalWishes {
  /**
   * Whether only these workers are watched. Then we do not listen. A worker is pinged only if its process and
   * connections do not show that it works.
   */
  readonly isAlone: boolean;
  readonly check: LocalCheck;
}

/** What is known about this machine between two looks. */
export interface Locals {
  workers: ReadonlyMap<string, WorkerProcess>;
  surveyedMs: number;
  /** When the connections of all workers were last looked at, and when each node was last checked. */
  lookedMs: number;
  readonly checkedMs: Map<string, number>;
  checking: Promise<void> | null;
}

export function startLocals(): Locals {
  return {
    workers: new Map(),
    surveyedMs: -Infinity,
    lookedMs: -Infinity,
    checkedMs: new Map(),
    checking: null,
  };
}

/** How often processes are searched, in milliseconds. */
const SURVEY_EVERY_MS = 10_000;

/** The same, if a process has ended or a node is new. */
const NEWS_EVERY_MS = 1_000;

/** Finds the workers in sight, and their memory. */
export function findLocals(locals: Locals, state: FleetState, host: Host, isAlone: boolean): void {
  const nowMs = host.now();
  const ended = endedIn(locals, host);
  const isNews = ended.length > 0 || hasNewcomers(state, locals.surveyedMs);
  if (nowMs - locals.surveyedMs < (isNews ? NEWS_EVERY_MS : SURVEY_EVERY_MS)) return;
  locals.surveyedMs = nowMs;
  const found = new Map<string, WorkerProcess>();
  for (const worker of survey(host.proc).workers) {
    const { hostname, env } = host;
    const names = [laterWorkerNode(worker, hostname, env), workerNode(worker, hostname, env)];
    const name = names.find((one) => one !== null && state.nodes.has(one)) ?? names[1] ?? "";
    // A worker in sight may use another broker. If a whole fleet is watched, it counts only when it is heard there.
    const node = isAlone ? nodeOf(state, name, nowMs) : (state.nodes.get(name) ?? null);
    if (node === null) continue;
    if (isAlone) node.pongs = found.has(name) ? node.pongs + 1 : 1;
    // If workers share a name, only the first one is looked at.
    if (found.has(name)) continue;
    const before = locals.workers.get(name);
    if (isAlone && node.isLocal && before?.startTicks !== worker.startTicks) {
      node.restarts++;
      node.toldPoolMs = node.toldQueuesMs = -Infinity;
      node.gaveUp = null;
    }
    if (node.gone?.how === "vanished") node.gone = null;
    found.set(name, worker);
    node.isLocal = true;
    node.localPid = worker.innerPid;
    node.memory = memoryOf(worker, host);
  }
  for (const [name, { innerPid }] of ended) if (!found.has(name)) noteEnd(state, name, innerPid, nowMs);
  locals.workers = found;
  for (const node of state.nodes.values()) node.isFound = found.has(node.name);
  for (const name of locals.checkedMs.keys()) if (!state.nodes.has(name)) locals.checkedMs.delete(name);
}

/** The workers of the last survey whose processes no longer exist. */
function endedIn({ workers }: Locals, { proc }: Host): readonly (readonly [string, WorkerProcess])[] {
  return [...workers].filter(([, { pid, startTicks }]) => examine(proc, pid, startTicks) === null);
}

/** Whether a node was first heard after a survey. Its process may be in sight. */
function hasNewcomers({ nodes }: FleetState, surveyedMs: number): boolean {
  for (const { firstMs } of nodes.values()) if (firstMs > surveyedMs) return true;
  return false;
}

/** Its process was in sight and has ended, so no question can show more. A node that said goodbye has left. */
function noteEnd(state: FleetState, name: string, pid: number, nowMs: number): void {
  const node = state.nodes.get(name);
  if (node === undefined || node.gone?.how === "goodbye") return;
  if (node.processes.some((one) => one.pid !== pid && nowMs - one.lastMs <= silentAfterMs(node))) return;
  node.gone = { how: "vanished", atMs: nowMs };
  // What is heard under its name from now on comes from another process.
  node.localPid = null;
  for (const one of node.processes) if (one.pid === pid) one.lastMs = -Infinity;
  const seen = { fact: `${name} has ended: process ${pid} is not there any more`, hint: "its log says why" };
  node.seen = { status: "unhealthy", reason: "dead", seen };
}

/** The memory of a worker and its children, in bytes; null: it cannot be read. */
function memoryOf({ pid }: WorkerProcess, { proc }: Host): number | null {
  const pids = [pid, ...detailsOf(proc, pid).children];
  const sum = pids.reduce((all, one) => all + (residentBytes(proc, one) ?? 0), 0);
  return sum === 0 ? null : sum;
}

/** The local nodes that need a check: their processes do not run, or nothing is heard of them. */
export function suspectsOf(
  locals: Locals,
  state: FleetState,
  host: Host,
  everyMs: number,
): readonly string[] {
  const nowMs = host.now();
  return [...state.nodes.values()]
    .filter((node) => {
      // A node that said goodbye ends, or finishes its tasks. A ping would be useless.
      if (!node.isLocal || node.gone?.how === "goodbye") return false;
      const worker = locals.workers.get(node.name);
      // Its process has ended, and no other process has its name.
      if (worker === undefined && node.gone !== null) return false;
      const look = worker === undefined ? null : examine(host.proc, worker.pid, worker.startTicks);
      const isWell = runs(look) && isFresh(node, nowMs) && node.seen === null;
      const sinceMs = nowMs - (locals.checkedMs.get(node.name) ?? -Infinity);
      // What a process shows is reported at once. After that it is checked as often as other nodes are asked.
      const isNews = !runs(look) && node.seen === null;
      return !isWell && (isNews || sinceMs >= everyMs);
    })
    .map(({ name }) => name);
}

function runs(look: ProcessLook | null): boolean {
  return look !== null && look.state !== "zombie" && haltOf(look) === null;
}

/** How many checks run at once. Each waits for answers. One after the other, they would report the last node late. */
const CHECKS_AT_ONCE = 4;

/** Checks them, several at once, and records the verdicts. */
export async function checkSuspects(
  names: readonly string[],
  check: LocalCheck,
  locals: Locals,
  state: FleetState,
  host: Host,
): Promise<void> {
  const left = [...names];
  const checkNext = async (): Promise<void> => {
    for (let name = left.shift(); name !== undefined; name = left.shift()) {
      locals.checkedMs.set(name, host.now());
      takeIn(state, name, await check(name), host.now());
    }
  };
  await Promise.all(Array.from({ length: CHECKS_AT_ONCE }, checkNext));
}

/**
 * Records a verdict together with what only the past can show: since when the node is silent, and whether its process
 * has ended meanwhile.
 */
function takeIn(state: FleetState, name: string, verdict: SeenVerdict | null, nowMs: number): void {
  const node = state.nodes.get(name);
  if (node === undefined || (node.gone !== null && verdict?.reason !== "alive")) return;
  if (verdict === null) node.seen = null;
  else if (verdict.reason === "alive") seenToWork(node, nowMs);
  else if (verdict.reason !== "undecided" || node.answeredMs === -Infinity) node.seen = verdict;
}

function seenToWork(node: NodeState, nowMs: number): void {
  node.answeredMs = nowMs;
  node.missed = 0;
  node.seen = null;
  showsLife(node, node.localPid);
}

/** A BRPOP is sent again every second, and the server counts whole seconds. */
const POLLED_WITHIN_S = 2;

/**
 * Looks at the connections of all workers in sight with one list. A worker that has just sent its BRPOP works, so it is
 * not asked.
 */
export async function lookAtConnections(
  session: Session,
  locals: Locals,
  state: FleetState,
  host: Host,
): Promise<void> {
  locals.lookedMs = host.now();
  const tables = socketTables(host.proc);
  const looks = [...locals.workers].flatMap(([name, worker]) => {
    const look = examine(host.proc, worker.pid, worker.startTicks);
    // The sockets are read before the list is requested, so that every socket we see should be in the list.
    return look !== null && runs(look)
      ? [{ name, look, sockets: socketsOf(host.proc, worker.pid, tables) }]
      : [];
  });
  const { channel } = session.read;
  const sent = await channel.send([["CLIENT", "LIST"]], session.plan.connectTimeout);
  const [reply] = sent.ok ? sent.value : [];
  const rows = reply?.ok === true ? parseClientList(reply.value) : null;
  for (const { name, look, sockets } of looks) {
    const node = state.nodes.get(name);
    const connections = attribute({ sockets, rows, ourselves: channel.ends(), alone: false });
    if (node === undefined) continue;
    const polls =
      connections.kind === "known" &&
      polling(connections.rows) === "polls" &&
      (pausedFor(connections.rows, look.ageMs)?.atMostS ?? Infinity) <= POLLED_WITHIN_S;
    if (polls) seenToWork(node, host.now());
    else {
      missOne(node, host.now());
    }
  }
}
