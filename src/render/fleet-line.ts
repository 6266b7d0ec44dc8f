import type { FleetNode } from "../fleet/fleet-view.ts";
import { fleetStatement } from "./fleet-words.ts";

/** A worker's verdict in one line: `unhealthy: hung: celery@web-1: …; hint: …`. */
export function nodeLine({ node, verdict }: FleetNode): string {
  const { fact, hint } = fleetStatement(verdict);
  const about = fact.startsWith(node) ? fact : `${node}: ${fact}`;
  return `${verdict.status}: ${verdict.reason}: ${about}${hint === null ? "" : `; hint: ${hint}`}`;
}
