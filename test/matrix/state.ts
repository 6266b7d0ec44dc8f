import type { Container } from "../world/container.ts";
import type { CeleryVersion } from "../world/pairs.ts";
import type { Pool } from "../world/worker-command.ts";
import type { World } from "./world.ts";

/** The two words with which a line of the probe begins. */
export type Words =
  | `healthy: ${"alive" | "busy" | "deaf" | "stopping" | "starting"}`
  | `unhealthy: ${"busy" | "deaf" | "dead" | "stopped" | "disconnected" | "hung" | "catatonic" | "not-consuming" | "stuck-task" | "backlog"}`
  | `unknown: ${"broker-unreachable" | "broker-refused" | "undecided"}`;

/** One question to the probe, and the answer that is right. */
export interface Ask {
  /** Beyond what the situation itself needs; the page shows them. */
  readonly args?: readonly string[];
  readonly expect: Words;
  /** Also right. */
  readonly or?: Words;
  /** Default: 0 for healthy, 1 for the rest. */
  readonly exit?: 0 | 1;
  /** The longest time it may take, milliseconds. Default: {@link WITHIN_DEADLINE_MS}. */
  readonly withinMs?: number;
  /** How often in a row. Default: 1. */
  readonly times?: number;
}

/** The probe's own deadline of 5 s, and what it takes to enter a container and to leave it. */
export const WITHIN_DEADLINE_MS = 5_500;

/** Where a state is made: one pool with one Celery. */
export interface Cell {
  readonly pool: Pool;
  readonly celery: CeleryVersion;
}

/** A worker in the state, ready to be asked about. */
export interface Situation {
  /** Where the probe runs. */
  readonly container: Container;
  /** Whom `celery inspect ping -d` asks. */
  readonly node: string;
  /** The probe's whole environment. Default: the world's broker in CELERY_BROKER_URL. */
  readonly env?: Readonly<Record<string, string>>;
  /** What `celery inspect` gets. Default: the world's broker. */
  readonly brokerUrl?: string;
  /** What the probe needs to be told in this situation. */
  readonly args?: readonly string[];
  /** What the line must contain besides its words. */
  readonly says?: RegExp;
  /**
   * Proves without the probe that the state is there, and says how; run before the first question and after the last.
   *
   * @throws Error where it is not
   */
  readonly prove: () => Promise<string>;
  /** Ends the state, and proves that the worker is as well as it can be after it. */
  readonly after?: () => Promise<void>;
}

/** With which Celerys a state is made in one pool; or why it is not. */
export type Column = readonly CeleryVersion[] | string;

/** A state of a worker: how it is made, where it exists, and what the probe must say of it. */
export interface State {
  readonly id: string;
  readonly title: string;
  readonly asks: readonly Ask[] | ((cell: Cell) => readonly Ask[]);
  readonly where: Readonly<Record<Pool, Column>>;
  /** Why not every version; needed where one is missing. */
  readonly otherVersions?: string;
  /** Whether it needs a restart, where the first question does not say so. */
  readonly truth?: (cell: Cell) => "well" | "sick";
  /** That it may not share the machine with another cell. */
  readonly alone?: true;
  readonly make: (world: World) => Promise<Situation>;
}

export function asksOf(state: State, cell: Cell): readonly Ask[] {
  return typeof state.asks === "function" ? state.asks(cell) : state.asks;
}
