import { isBeat } from "../celery/node-name.ts";
import type { WorkerEvent } from "../celery/heartbeat.ts";
import { type FleetState, type NodeState, nodeOf, type ProcessState } from "./fleet-state.ts";
import { isHeard, showsLife, silentAfterMs } from "./signs.ts";

/** The most processes of one name that are told apart. */
const MOST_PROCESSES = 8;

/** If two heartbeats are closer together than this, they do not show a rate. In milliseconds. */
const SHORTEST_MS = 500;

/**
 * A worker that starts again under the same number is not heard for this long, because it imports Celery first. In
 * milliseconds.
 */
const RESTARTS_WITHIN_MS = 3_000;

/** Records an event that a worker has sent about itself. */
export function hear(state: FleetState, event: WorkerEvent, nowMs: number, epochS: number): void {
  if (isBeat(event.node)) return;
  if (event.kind === "offline") {
    sayGoodbye(state, event, nowMs);
    return;
  }
  const node = nodeOf(state, event.node, nowMs);
  if (node === null) return;
  // A worker that has come online may still be importing. Its heartbeat follows at once, and only this shows that its
  // loop turns.
  if (event.kind === "online") return;
  state.heardMs = nowMs;
  const hasPaused = nowMs - node.heardMs > RESTARTS_WITHIN_MS;
  countProcess(node, event, nowMs, hasPaused);
  if (!isHeard(node, nowMs)) wake(node, nowMs);
  node.heardMs = nowMs;
  node.beats = true;
  if (event.everyS !== null) node.everyMs = event.everyS * 1_000;
  if (event.version !== null) node.version = event.version;
  if (event.sentS !== null) node.clockAheadS = epochS - event.sentS;
  showsLife(node, event.pid);
}

/** What it has left unanswered came while nothing was heard of it, and says nothing of how it hears from now on. */
function wake(node: NodeState, nowMs: number): void {
  node.wokeMs = nowMs;
  if (node.missed === 0) return;
  // One is left, so that the next round pings it.
  node.missed = 1;
  node.missedFromMs = nowMs;
}

/** Updates the processes of its name, and what they say about tasks. */
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

/** Records what happened to its tasks since its last heartbeat. */
function measure(node: NodeState, before: ProcessState, event: WorkerEvent, nowMs: number): void {
  const ms = nowMs - before.lastMs;
  const more =
    event.processed === null || before.processed === null ? null : event.processed - before.processed;
  if (more !== null && ms >= SHORTEST_MS) node.perS = (Math.max(0, more) * 1_000) / ms;
  if (event.active !== 0 || more !== 0) node.idleMs = event.active === 0 ? nowMs : null;
  else node.idleMs ??= nowMs;
  // The task that was running may have ended since.
  if (event.active === 0 || (event.active ?? 0) < (before.active ?? 0)) node.oldest = null;
}

/**
 * Drops processes that have ended because they are silent. Another one has taken the name, unless both sent heartbeats
 * at the same time.
 */
function dropEnded(node: NodeState, pid: number, nowMs: number): void {
  const ended = node.processes.filter((one) => one.pid !== pid && nowMs - one.lastMs > silentAfterMs(node));
  const early = node.processes.filter((one) => one.pid !== pid && !ended.includes(one));
  // A worker that is told to restart ends and comes back within that time. If only the newcomer has been heard since
  // its first heartbeat, its second one shows that the old one has gone.
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
  // If two processes have answered the same ping, they were there at the same time, whichever was heard first.
  if (node.pongs === 1 && gone.some((one) => one.lastMs < successor)) node.restarts++;
  node.pongs = Math.max(1, node.pongs - gone.length);
  if (shown !== undefined && gone.includes(shown)) startAnew(node);
}

/** If a process has missed this many heartbeats since another one took its name, it has ended. */
const REPLACED_BEATS = 1.5;

/** Another process has this name now. It may have another pool and other queues. */
function startAnew(node: NodeState): void {
  node.toldPoolMs = node.toldQueuesMs = node.toldTasksMs = -Infinity;
  node.idleMs = null;
  node.gaveUp = null;
  node.perS = null;
  node.oldest = null;
  node.missed = 0;
}

/** The node goes at once, unless another process sends heartbeats under the same name. */
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
  // The next node with this name is another process, however soon it comes.
  for (const one of node.processes) one.lastMs = -Infinity;
  startAnew(node);
}
