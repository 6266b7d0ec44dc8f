import type { FleetNode } from "./fleet-view.ts";

/** How many workers have each status. */
export type Summary = { readonly [S in FleetNode["verdict"]["status"]]: number };

export function summaryOf(nodes: readonly FleetNode[]): Summary {
  const counts = { healthy: 0, unhealthy: 0, unknown: 0 };
  for (const { verdict } of nodes) counts[verdict.status] += 1;
  return counts;
}
