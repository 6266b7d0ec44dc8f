import type { WorkerEvent } from "../../src/celery/heartbeat.ts";
import { pinged } from "../../src/fleet/answers.ts";
import { type FleetState, startFleet } from "../../src/fleet/fleet-state.ts";
import type { FleetVerdict } from "../../src/fleet/fleet-view.ts";
import { hear } from "../../src/fleet/hear.ts";
import { judgeFleetNode } from "../../src/fleet/judge-fleet-node.ts";
import { settle } from "../../src/fleet/settle.ts";

export const GRACE_MS = 300_000;
export const NODE = "celery@web-1";

export function fleet(nodes: readonly string[] = [], queues: readonly string[] = []): FleetState {
  return startFleet(nodes, queues, 0);
}

/** An event of a node at this time, in milliseconds; a heartbeat where nothing else is said. */
export function event(more: Partial<WorkerEvent> = {}): WorkerEvent {
  return {
    kind: "heartbeat",
    node: NODE,
    pid: 12,
    active: 0,
    processed: 9,
    version: "5.7.0",
    everyS: 2,
    sentS: null,
    channel: "/0.celeryev/worker.heartbeat",
    ...more,
  };
}

export function heard(state: FleetState, nowMs: number, more: Partial<WorkerEvent> = {}): void {
  hear(state, event(more), nowMs, nowMs / 1_000);
}

/** Heartbeats every two seconds. */
export function beating(
  state: FleetState,
  fromMs: number,
  toMs: number,
  more: Partial<WorkerEvent> = {},
): void {
  for (let ms = fromMs; ms <= toMs; ms += 2_000) heard(state, ms, more);
}

/** A ping to everybody that these have answered. */
export function ping(
  state: FleetState,
  sentMs: number,
  subscribers: number,
  answering: readonly string[] = [],
  { unread = 0, copies = 1 } = {},
): void {
  const pongs = new Map(answering.map((node) => [node, { atMs: sentMs + 3, copies }]));
  pinged(state, { sentMs, asked: null, subscribers, pongs, unread }, GRACE_MS);
}

/** What is said of a node at this time. */
export function verdictOf(state: FleetState, nowMs: number, name = NODE): FleetVerdict {
  const node = state.nodes.get(name);
  if (node === undefined) throw new Error(`${name} is not known`);
  return judgeFleetNode(node, state, GRACE_MS, nowMs);
}

export function reasonOf(state: FleetState, nowMs: number, name = NODE): string {
  return verdictOf(state, nowMs, name).reason;
}

export function look(state: FleetState, nowMs: number): void {
  settle(state, GRACE_MS, nowMs);
}
