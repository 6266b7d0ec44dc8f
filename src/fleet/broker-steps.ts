import type { BrokerFailure } from "../broker/failure.ts";
import { evidenceMs, type FleetState, type Trouble } from "./fleet-state.ts";

/** The broker cannot be used. A trouble that goes on is as old as its beginning. */
export function failed(state: FleetState, failure: BrokerFailure, by: Trouble["by"], nowMs: number): void {
  const sinceMs = state.broker.trouble?.sinceMs ?? nowMs;
  state.broker.trouble = { failure, sinceMs, by };
}

/** The broker can be used again, as far as its name has shown. In the meantime no node could be heard. */
export function returned(state: FleetState, by: readonly Trouble["by"][], nowMs: number): void {
  const { trouble } = state.broker;
  if (trouble === null || !by.includes(trouble.by)) return;
  state.broker.trouble = null;
  excuse(state, trouble.sinceMs, nowMs);
}

/** Nobody could be heard between these times: it counts for no silence, and all get time to be heard again. */
export function excuse(state: FleetState, fromMs: number, nowMs: number): void {
  state.broker.returnedMs = nowMs;
  state.deafSubscribers = 0;
  for (const node of state.nodes.values()) {
    node.awayMs += nowMs - Math.max(fromMs, Math.min(nowMs, evidenceMs(node)));
    if (node.gone?.how === "vanished") node.gone = null;
    node.missed = 0;
  }
}
