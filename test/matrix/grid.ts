import { type CeleryVersion, PAIRS } from "../world/pairs.ts";
import type { Pool } from "../world/worker-command.ts";
import type { Cell, Column, State } from "./state.ts";

export const POOLS = ["prefork", "solo", "threads", "gevent", "eventlet"] as const satisfies readonly Pool[];

/** Oldest first. */
export const VERSIONS = Object.keys(PAIRS) as CeleryVersion[];

export const NEWEST: CeleryVersion = "5.7.0";

/** Their kombu (5.2.3 to 5.6.2) stops polling when any connection of the worker is closed. */
export const CATATONIC: readonly CeleryVersion[] = ["5.2.7", "5.3.6", "5.4.0", "5.5.3", "5.6.3"];

/** Why a state is made with the newest Celery only. */
export const SAME_IN_ALL = "no difference between versions is known";

/** Why a state without a living worker, or with one that only has to live, is made with one pool only. */
export const NO_POOL = "the pool makes no difference here";

/** The same column for some pools, and for all others why they have none. */
export function cellsWith(
  pools: readonly Pool[],
  column: readonly CeleryVersion[],
  otherwise: string,
): Record<Pool, Column> {
  return Object.fromEntries(
    POOLS.map((pool) => [pool, pools.includes(pool) ? column : otherwise]),
  ) as unknown as Record<Pool, Column>;
}

/** The cells of a state, in the order of pools and versions. */
export function cellsOf(state: State): Cell[] {
  return POOLS.flatMap((pool) => {
    const column = state.where[pool];
    if (typeof column === "string") return [];
    return VERSIONS.filter((celery) => column.includes(celery)).map((celery) => ({ pool, celery }));
  });
}

/** Why a cell is empty; undefined where it is not, or where nobody has said why. */
export function reasonOfEmptiness(state: State, { pool, celery }: Cell): string | undefined {
  const column = state.where[pool];
  if (typeof column === "string") return column;
  return column.includes(celery) ? undefined : state.otherVersions;
}
