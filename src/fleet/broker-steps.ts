import type { BrokerFailure } from "../broker/failure.ts";
import { type FleetState, type Trouble } from "./fleet-state.ts";
import { evidenceMs } from "./signs.ts";

/** Records that the broker cannot be used. A trouble that goes on keeps the time of its beginning. */
export function failed(state: FleetState, failure: BrokerFailure, by: Trouble["by"], nowMs: number): void {
  const sinceMs = state.broker.trouble?.sinceMs ?? nowMs;
  state.broker.trouble = { failure, sinceMs, by };
}

/** The broker can be used again, as far as its `by` has shown. In the meantime no node could be heard. */
export function returned(state: FleetState, by: readonly Trouble["by"][], nowMs: number): void {
  const { trouble } = state.broker;
  if (trouble === null || !by.includes(trouble.by)) return;
  state.broker.trouble = null;
  excuse(state, trouble.sinceMs, nowMs);
}

/**
 * No node could be heard between these times. So this time does not count as silence, and all nodes get new time to be
 * heard.
 */
export function excuse(state: FleetState, fromMs: number, nowMs: number): void {
  state.broker.returnedMs = nowMs;
  state.deafSubscribers = 0;
  for (const node of state.nodes.values()) {
    node.awayMs += nowMs - Math.max(fromMs, Math.min(nowMs, evidenceMs(node)));
    if (node.gone?.how === "vanished") node.gone = null;
    node.missed = 0;
  }
}
