import { copiesOf } from "./answers.ts";
import { type FleetState, type NodeState, type QueueState } from "./fleet-state.ts";
import { evidenceMs, shownProcess } from "./signs.ts";
import type { BrokerView, FleetNode, FleetQueue, FleetVerdict, FleetView, RoundsView } from "./fleet-view.ts";
import { judgeFleetNode } from "./judge-fleet-node.ts";
import { listOf } from "./ring.ts";
import { activeOf, isShown } from "./settle.ts";

/** What a view needs in addition to the state. */
export interface Moment {
  /** The broker's URL, masked. */
  readonly shown: string;
  readonly graceMs: number;
  readonly nowMs: number;
  /** The same moment in seconds since 1970. */
  readonly epochS: number;
}

/** This many rounds in a row had no answer from the broker. */
const STALE_ROUNDS = 2;

/** A beat that leaves this many pings in a row unanswered is not healthy. */
const BEAT_PINGS = 2;

export function viewOf(state: FleetState, moment: Moment): FleetView {
  const at = (ms: number) => moment.epochS - (moment.nowMs - ms) / 1_000;
  const [shown, left] = [[], []] as [NodeState[], NodeState[]];
  for (const node of state.nodes.values()) (isShown(node, state) ? shown : left).push(node);
  const nodes = shown.map((node) => nodeView(node, state, moment, at));
  const { unacked, beat, nameless, replyLists, dropped } = state;
  return {
    atS: moment.epochS,
    broker: brokerView(state, moment.shown, at),
    rounds: roundsView(state, at),
    nodes: nodes.sort((a, b) => rank(a.verdict) - rank(b.verdict) || (a.node < b.node ? -1 : 1)),
    left: new Map(left.map(({ name, gone }) => [name, at(gone?.atMs ?? moment.nowMs)])),
    queues: queueViews(state, nodes, at),
    nameless,
    unacked,
    beat: beat === null ? null : { isHealthy: beat.missed < BEAT_PINGS, lastS: at(beat.answeredMs) },
    replyLists,
    dropped: { nodes: dropped.nodes.size, queues: dropped.queues.size },
  };
}

type At = (ms: number) => number;

function brokerView({ broker }: FleetState, shown: string, at: At): BrokerView {
  const { trouble, rttMs, reconnects } = broker;
  return {
    shown,
    trouble: trouble === null ? null : { failure: trouble.failure, sinceS: at(trouble.sinceMs) },
    rttS: rttMs === null ? null : rttMs / 1_000,
    reconnects,
  };
}

function roundsView({ rounds }: FleetState, at: At): RoundsView {
  const { done, failed, failedInARow, lastEndedMs, lastTookMs } = rounds;
  return {
    done,
    failed,
    lastEndedS: lastEndedMs === null ? null : at(lastEndedMs),
    lastTookS: lastTookMs === null ? null : lastTookMs / 1_000,
    areStale: failedInARow >= STALE_ROUNDS,
  };
}

function nodeView(node: NodeState, state: FleetState, { graceMs, nowMs }: Moment, at: At): FleetNode {
  const lastMs = evidenceMs(node);
  const { oldest } = node;
  return {
    node: node.name,
    isLocal: node.isLocal,
    verdict: judgeFleetNode(node, state, graceMs, nowMs),
    sinceS: at(node.said?.sinceMs ?? node.firstMs),
    lastEvidenceS: at(lastMs === -Infinity ? node.firstMs : lastMs),
    pingS: node.pingMs === null ? null : node.pingMs / 1_000,
    active: activeOf(node),
    slots: node.slots,
    processed: shownProcess(node)?.processed ?? null,
    perS: node.perS,
    trend: listOf(node.trend),
    queues: node.queues,
    version: node.version,
    pid: shownProcess(node)?.pid ?? null,
    restarts: node.restarts,
    copies: copiesOf(node),
    oldest: oldest === null ? null : { name: oldest.name, ageS: (nowMs - oldest.startMs) / 1_000 },
    memory: node.memory,
  };
}

/** The queues that an option names, that a node has consumed since we started, or that have messages. */
function queueViews(state: FleetState, nodes: readonly FleetNode[], at: At): readonly FleetQueue[] {
  const consumers = new Map<string, FleetNode[]>();
  for (const node of nodes.filter(consumes)) for (const queue of node.queues) append(consumers, queue, node);
  return [...state.queues.values()]
    .filter(({ isNamed, consumedMs, length }) => isNamed || consumedMs > -Infinity || (length ?? 0) > 0)
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map((queue) => queueView(queue, consumers.get(queue.name) ?? [], at));
}

function queueView(
  { name, length, trend, nonemptyMs }: QueueState,
  consumers: readonly FleetNode[],
  at: At,
): FleetQueue {
  return {
    queue: name,
    length,
    trend: listOf(trend),
    consumers: consumers.length,
    slots: sumOf(consumers.map(({ slots }) => slots)),
    active: sumOf(consumers.map(({ active }) => active)),
    nonemptySinceS: nonemptyMs === null ? null : at(nonemptyMs),
  };
}

/** Whether it fetches, now or after its current task. */
function consumes({ verdict }: FleetNode): boolean {
  return verdict.status === "healthy";
}

/** Null: no number is known. */
function sumOf(numbers: readonly (number | null)[]): number | null {
  const told = numbers.filter((one) => one !== null);
  return told.length === 0 ? null : told.reduce((sum, one) => sum + one, 0);
}

function rank({ status, reason }: FleetVerdict): number {
  if (status === "unhealthy") return 0;
  if (status === "unknown") return 1;
  return reason === "alive" ? 3 : 2;
}

function append(consumers: Map<string, FleetNode[]>, queue: string, node: FleetNode): void {
  const known = consumers.get(queue);
  if (known === undefined) consumers.set(queue, [node]);
  else known.push(node);
}
