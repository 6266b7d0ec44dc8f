import type { Placement } from "../discovery/place.ts";
import type { Host } from "../host.ts";
import type { SessionPlan } from "../session/plan.ts";
import type { FleetState } from "./fleet-state.ts";
import type { FleetView } from "./fleet-view.ts";
import type { Line } from "./line.ts";
import type { Locals, LocalWishes } from "./local.ts";

/** What a collector looks at, and how often. Durations are in milliseconds. */
export interface FleetWishes {
  /** Full node names; empty: all nodes. */
  readonly nodes: readonly string[];
  /** Queues in addition to the ones that the workers consume. */
  readonly queues: readonly string[];
  /** How often a silent node is pinged. */
  readonly roundEveryMs: number;
  /** How often queues are measured and a view is ready. */
  readonly lookEveryMs: number;
  /** How long a worker may be silent before it is called hung. */
  readonly graceMs: number;
  /** How to look at workers in sight; absent: like at all others. */
  readonly local?: LocalWishes;
}

/** What a collector works with, in addition to its state. */
export interface Work {
  readonly plan: SessionPlan;
  readonly place: Placement;
  readonly host: Host;
  readonly wishes: FleetWishes;
  readonly state: FleetState;
  readonly listeners: Set<() => void>;
  readonly locals: Locals;
  line: Line | null;
  /** The current round. */
  round: Promise<void> | null;
  roundMs: number;
  /** When keys were last searched, and when the next search may start. */
  searchedMs: number;
  searchAgainMs: number;
  looks: number;
  /** How many attempts to connect have failed in a row. */
  tries: number;
  view: { readonly made: FleetView; readonly atMs: number } | null;
  isClosed: boolean;
  readonly first: { readonly done: Promise<void>; readonly isDone: () => void };
}
