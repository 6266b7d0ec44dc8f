import { isBeat } from "../celery/node-name.ts";
import type { WorkerEvent } from "../celery/heartbeat.ts";
import {
  type FleetState,
  type NodeState,
  nodeOf,
  type ProcessState,
  showsLife,
  silentAfterMs,
} from "./fleet-state.ts";

/** Processes of one name that are told apart. */
const MOST_PROCESSES = 8;

/** Two heartbeats at less than this, in milliseconds, say nothing of a rate. */
const SHORTEST_MS = 500;

/** A worker that starts again under the same number is not heard for so long, in milliseconds: it imports Celery first. */
const RESTARTS_WITHIN_MS = 3_000;

/** Takes in an event that a worker has sent of itself. */
export function hear(state: FleetState, event: WorkerEvent, nowMs: number, epochS: number): void {
  if (isBeat(event.node)) return;
  if (event.kind === "offline") {
    sayGoodbye(state, event, nowMs);
    return;
  }
  const node = nodeOf(state, event.node, nowMs);
  if (node === null) return;
  // One that has come online may be importing still: its heartbeat follows at once, and is what shows that it turns.
  if (event.kind === "online") return;
  state.heardMs = nowMs;
  const hasPaused = nowMs - node.heardMs > RESTARTS_WITHIN_MS;
  countProcess(node, event, nowMs, hasPaused);
  node.heardMs = nowMs;
  node.beats = true;
  if (event.everyS !== null) node.everyMs = event.everyS * 1_000;
  if (event.version !== null) node.version = event.version;
  if (event.sentS !== null) node.clockAheadS = epochS - event.sentS;
  showsLife(node, event.pid);
}

/** Brings the processes of its name up to date, and what they say of tasks. */
function countProcess(node: NodeState, event: WorkerEvent, nowMs: number, hasPaused: boolean): void {
  const known = node.processes.find(({ pid }) => pid === event.pid);
  if (known === undefined || node.processes.length > 1) dropEnded(node, event.pid, nowMs);
  if (known === undefined) {
    const { pid, active, processed } = event;
    const isFirst = node.processes.length === 0;
    if (node.processes.length < MOST_PROCESSES)
      node.processes = [...node.processes, { pid, firstMs: nowMs, lastMs: nowMs, active, processed }];
    if (isFirst) node.idleMs = active === 0 ? nowMs : null;
    return;
  }
  const [shown] = node.processes;
  const isAgain =
    hasPaused && event.processed !== null && known.processed !== null && event.processed < known.processed;
  if (isAgain) {
    node.restarts++;
    startAnew(node);
  } else if (known === shown) measure(node, known, event, nowMs);
  known.lastMs = nowMs;
  known.active = event.active;
  known.processed = event.processed;
}

/** What is told of its tasks since its last heartbeat. */
function measure(node: NodeState, before: ProcessState, event: WorkerEvent, nowMs: number): void {
  const ms = nowMs - before.lastMs;
  const more =
    event.processed === null || before.processed === null ? null : event.processed - before.processed;
  if (more !== null && ms >= SHORTEST_MS) node.perS = (Math.max(0, more) * 1_000) / ms;
  if (event.active !== 0 || more !== 0) node.idleMs = event.active === 0 ? nowMs : null;
  else node.idleMs ??= nowMs;
  // What ran may have ended since.
  if (event.active === 0 || (event.active ?? 0) < (before.active ?? 0)) node.oldest = null;
}

/** Processes that are silent have ended: another one has taken the name, unless both have beaten at once. */
function dropEnded(node: NodeState, pid: number, nowMs: number): void {
  const ended = node.processes.filter((one) => one.pid !== pid && nowMs - one.lastMs > silentAfterMs(node));
  const early = node.processes.filter((one) => one.pid !== pid && !ended.includes(one));
  // A worker that is told to restart goes and comes within that time. If only the newcomer has been heard since its
  // first heartbeat, its second one shows that the old one has gone.
  const newcomer = node.processes.find((one) => one.pid === pid);
  const replaced =
    newcomer === undefined
      ? []
      : early.filter(
          (one) => one.lastMs < newcomer.firstMs && nowMs - newcomer.firstMs > node.everyMs * REPLACED_BEATS,
        );
  const gone = [...ended, ...replaced];
  if (gone.length === 0) return;
  const [shown] = node.processes;
  node.processes = node.processes.filter((one) => !gone.includes(one));
  const successor = newcomer?.firstMs ?? nowMs;
  // Two that have answered one ping were there at once, in whatever order they were heard.
  if (node.pongs === 1 && gone.some((one) => one.lastMs < successor)) node.restarts++;
  node.pongs = Math.max(1, node.pongs - gone.length);
  if (shown !== undefined && gone.includes(shown)) startAnew(node);
}

/** A process that has missed so many heartbeats since another one took its name has ended. */
const REPLACED_BEATS = 1.5;

/** Another process bears its name, with whatever pool and queues. */
function startAnew(node: NodeState): void {
  node.toldPoolMs = node.toldQueuesMs = node.toldTasksMs = -Infinity;
  node.idleMs = null;
  node.gaveUp = null;
  node.perS = null;
  node.oldest = null;
  node.missed = 0;
}

/** It goes at once, unless another one beats under the same name. */
function sayGoodbye(state: FleetState, { node: name, pid }: WorkerEvent, nowMs: number): void {
  const node = state.nodes.get(name);
  if (node === undefined) return;
  const left = node.processes.filter((one) => one.pid !== pid && nowMs - one.lastMs <= silentAfterMs(node));
  if (left.length > 0) {
    node.processes = left;
    node.pongs = left.length;
    startAnew(node);
    return;
  }
  node.gone = { how: "goodbye", atMs: nowMs };
  // The next node of its name is another process, however soon it comes.
  for (const one of node.processes) one.lastMs = -Infinity;
  startAnew(node);
}
