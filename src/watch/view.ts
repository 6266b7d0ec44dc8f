import type { BrokerFailure } from "../broker/failure.ts";

/** One picture of a broker: what {@link ./observe.ts} has gathered. Times in seconds. */
export interface View {
  /** Masked. */
  readonly broker: string;
  /** Seconds since 1970. */
  readonly atS: number;
  /** What is wrong with the broker, and for how long; null: nothing. */
  readonly trouble: { readonly failure: BrokerFailure; readonly sinceS: number } | null;
  readonly nodes: readonly NodeRow[];
  readonly queues: readonly QueueRow[];
  /** Subscribed workers that answer nothing and send no heartbeats. */
  readonly nameless: number;
}

export interface NodeRow {
  readonly node: string;
  readonly state: NodeState;
  /** Tasks that run, and how many may; null: not told. */
  readonly active: number | null;
  readonly slots: number | null;
  /** Tasks begun per second since the last look, and since its start. */
  readonly perS: number | null;
  readonly processed: number | null;
  readonly oldest: { readonly name: string; readonly ageS: number } | null;
  /** Of all its processes, in bytes; null: not in sight. */
  readonly memory: number | null;
}

/** `busy`: all of its slots run a task. `silent`: no heartbeat and no answer for so long. */
export type NodeState =
  { readonly kind: "alive" } | { readonly kind: "busy" } | { readonly kind: "silent"; readonly forS: number };

export interface QueueRow {
  readonly queue: string;
  readonly length: number | null;
  /** The lengths of the last pictures, oldest first. */
  readonly trend: readonly number[];
  /** How many nodes consume it. */
  readonly consumers: number;
}

/** A worker sends a heartbeat every two seconds: without three of them it is silent. */
const SILENT_S = 7;

/** What a node is, by when it was heard or answered last. Who sends no heartbeats is asked every {@link everyS}. */
export function stateOf(
  lastS: number,
  nowS: number,
  isAnswering: boolean,
  active: number | null,
  slots: number | null,
): NodeState {
  const forS = nowS - lastS;
  if (forS > SILENT_S && !isAnswering) return { kind: "silent", forS };
  return active !== null && slots !== null && slots > 0 && active >= slots
    ? { kind: "busy" }
    : { kind: "alive" };
}
