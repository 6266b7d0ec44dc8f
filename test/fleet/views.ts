import type { FleetNode, FleetQueue, FleetView } from "../../src/fleet/fleet-view.ts";

export function nodeView(more: Partial<FleetNode> = {}): FleetNode {
  return {
    node: "celery@web-1",
    isLocal: false,
    verdict: { status: "healthy", reason: "alive" },
    sinceS: 1_799_999_000,
    lastEvidenceS: 1_799_999_999,
    pingS: 0.002,
    active: 1,
    slots: 4,
    processed: 1_240,
    perS: 0.5,
    trend: [0, 0.5],
    queues: ["celery"],
    version: "5.7.0",
    pid: 12,
    restarts: 0,
    copies: 1,
    oldest: { name: "shop.tasks.mail", ageS: 12 },
    memory: 152_000_000,
    ...more,
  };
}

export function queueView(more: Partial<FleetQueue> = {}): FleetQueue {
  return {
    queue: "celery",
    length: 0,
    trend: [0, 0],
    consumers: 1,
    slots: 4,
    active: 1,
    nonemptySinceS: null,
    ...more,
  };
}

export function fleetView(more: Partial<FleetView> = {}): FleetView {
  return {
    atS: 1_800_000_000,
    broker: { shown: "redis://redis:6379/0", trouble: null, rttS: 0.001, reconnects: 0 },
    rounds: { done: 3, failed: 0, lastEndedS: 1_799_999_990, lastTookS: 0.1, areStale: false },
    nodes: [],
    queues: [],
    nameless: 0,
    unacked: null,
    beat: null,
    replyLists: null,
    left: new Map(),
    dropped: { nodes: 0, queues: 0 },
    ...more,
  };
}
