import type { Placement } from "../discovery/place.ts";
import type { Host } from "../host.ts";
import type { SessionPlan } from "../session/plan.ts";
import type { FleetState } from "./fleet-state.ts";
import type { FleetView } from "./fleet-view.ts";
import type { Line } from "./line.ts";
import type { Locals, LocalWishes } from "./local.ts";

/** What a collector is to look at, and how often. Durations in milliseconds. */
export interface FleetWishes {
  /** Full node names; empty: all. */
  readonly nodes: readonly string[];
  /** Queues beside the ones that the workers consume. */
  readonly queues: readonly string[];
  /** How often a silent node is pinged. */
  readonly roundEveryMs: number;
  /** How often queues are measured and a view is ready. */
  readonly lookEveryMs: number;
  /** How long a worker may be silent until it is said to hang. */
  readonly graceMs: number;
  /** How workers in sight are looked at; absent: as all others. */
  readonly local?: LocalWishes;
}

/** What a collector works with, beside its state. */
export interface Work {
  readonly plan: SessionPlan;
  readonly place: Placement;
  readonly host: Host;
  readonly wishes: FleetWishes;
  readonly state: FleetState;
  readonly listeners: Set<() => void>;
  readonly locals: Locals;
  line: Line | null;
  /** The round that goes on. */
  round: Promise<void> | null;
  roundMs: number;
  /** When keys were searched last, and how soon they may be again. */
  searchedMs: number;
  searchAgainMs: number;
  looks: number;
  /** Tries to connect that have failed in a row. */
  tries: number;
  view: { readonly made: FleetView; readonly atMs: number } | null;
  isClosed: boolean;
  readonly first: { readonly done: Promise<void>; readonly isDone: () => void };
}
