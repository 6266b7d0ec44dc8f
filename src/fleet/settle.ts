import { FORGET_MS, type FleetState, type NodeState } from "./fleet-state.ts";
import { isFresh, evidenceMs, shownProcess } from "./signs.ts";
import { judgeFleetNode } from "./judge-fleet-node.ts";
import { addTo } from "./ring.ts";

/** The end of a look: sets the verdict on each node and since when it holds, and drops old records. */
export function settle(state: FleetState, graceMs: number, nowMs: number): void {
  if (state.broker.trouble === null)
    for (const node of state.nodes.values()) if (node.gone === null) noteConsumption(state, node, nowMs);
  for (const node of state.nodes.values()) {
    const verdict = judgeFleetNode(node, state, graceMs, nowMs);
    const before = node.said?.verdict;
    const isSame = before?.status === verdict.status && before.reason === verdict.reason;
    node.said = { verdict, sinceMs: isSame && node.said !== null ? node.said.sinceMs : nowMs };
    addTo(node.trend, isFresh(node, nowMs) ? (node.perS ?? 0) : 0);
  }
  forget(state, graceMs, nowMs);
  state.lookedMs = nowMs;
}

/**
 * Drops nodes that have been gone for long. Also drops empty queues that no node has consumed and no client has
 * declared for as long.
 */
function forget(state: FleetState, graceMs: number, nowMs: number): void {
  if (state.broker.trouble !== null) return;
  for (const node of state.nodes.values()) {
    if (isOver(node, graceMs, nowMs) && state.meant === null) state.nodes.delete(node.name);
  }
  for (const { name, isNamed, isDeclared, consumedMs, length } of state.queues.values())
    if (!isNamed && !isDeclared && nowMs - consumedMs > FORGET_MS && (length ?? 0) === 0)
      state.queues.delete(name);
}

function noteConsumption(state: FleetState, { queues }: NodeState, nowMs: number): void {
  for (const name of queues) {
    const queue = state.queues.get(name);
    if (queue !== undefined) queue.consumedMs = nowMs;
  }
}

function isOver(node: NodeState, graceMs: number, nowMs: number): boolean {
  if (node.gone !== null) return nowMs - node.gone.atMs > FORGET_MS;
  if (node.seen !== null || isFresh(node, nowMs)) return false;
  // It was heard of once, by a ping or an answer that came too late.
  return evidenceMs(node) === -Infinity && nowMs - node.firstMs > FORGET_MS + graceMs;
}

/** Whether it is shown. A node that said goodbye has gone, unless the user has named it. */
export function isShown(node: NodeState, state: FleetState): boolean {
  return state.meant !== null || node.gone?.how !== "goodbye";
}

/** Running tasks, by its last heartbeat. */
export function activeOf(node: NodeState): number | null {
  return shownProcess(node)?.active ?? null;
}
