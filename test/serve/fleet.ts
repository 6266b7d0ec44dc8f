import type { BrokerFailure } from "../../src/broker/failure.ts";
import type { FleetNode, FleetQueue, FleetVerdict, FleetView } from "../../src/fleet/fleet-view.ts";

/** When the views of these tests were made: 2027-01-15T08:00:00Z. */
export const AT_S = 1_800_000_000;

export const ALIVE: FleetVerdict = { status: "healthy", reason: "alive" };
export const HUNG: FleetVerdict = { status: "unhealthy", reason: "hung", silentS: 400, graceS: 300 };
export const REFUSED: BrokerFailure = {
  kind: "unreachable",
  cause: "connection-refused",
  detail: "ECONNREFUSED",
};
export const LOST: FleetVerdict = { status: "unknown", reason: "broker-unreachable", failure: REFUSED };

export function node(name: string, verdict: FleetVerdict = ALIVE, more: Partial<FleetNode> = {}): FleetNode {
  return {
    node: name,
    isLocal: false,
    verdict,
    sinceS: AT_S - 60,
    lastEvidenceS: AT_S - 2,
    pingS: 0.002,
    active: 1,
    slots: 4,
    processed: 1_200,
    perS: 3.5,
    trend: [0, 3.5],
    queues: ["celery"],
    version: "5.7.0",
    pid: 12,
    restarts: 2,
    copies: 1,
    oldest: { name: "app.tasks.x", ageS: 12.51 },
    memory: 50_000_000,
    ...more,
  };
}

export function queue(name: string, more: Partial<FleetQueue> = {}): FleetQueue {
  return {
    queue: name,
    length: 12,
    trend: [3, 12],
    consumers: 3,
    slots: 12,
    active: 4,
    nonemptySinceS: AT_S - 30,
    ...more,
  };
}

/** A fleet whose first round is done. */
export function fleet(nodes: readonly FleetNode[], more: Partial<FleetView> = {}): FleetView {
  return {
    atS: AT_S,
    broker: { shown: "redis://redis:6379/0", trouble: null, rttS: 0.0004, reconnects: 0 },
    rounds: { done: 3, failed: 1, lastEndedS: AT_S - 5, lastTookS: 0.12, areStale: false },
    nodes,
    queues: [queue("celery")],
    nameless: 0,
    unacked: { messages: 3, oldestS: 12.1 },
    beat: null,
    replyLists: 7,
    left: new Map(),
    dropped: { nodes: 0, queues: 0 },
    ...more,
  };
}

/** A fleet whose broker is gone, with what was known of it. */
export function outage(nodes: readonly FleetNode[], more: Partial<FleetView> = {}): FleetView {
  const { broker } = fleet([]);
  const trouble = { failure: REFUSED, sinceS: AT_S - 20 };
  return fleet(nodes, { broker: { ...broker, trouble, rttS: null }, ...more });
}

/** Before the first round has ended. */
export const NO_ROUND = { done: 0, failed: 0, lastEndedS: null, lastTookS: null, areStale: false };
