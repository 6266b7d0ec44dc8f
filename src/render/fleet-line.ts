import type { FleetNode } from "../fleet/fleet-view.ts";
import { fleetStatement } from "./fleet-words.ts";

/** A worker's verdict in one line: `unhealthy: hung: celery@web-1: …; hint: …`. */
export function nodeLine({ node, verdict, copies }: FleetNode): string {
  const { fact, hint } = fleetStatement(verdict);
  const about = fact.startsWith(node) ? fact : `${node}: ${fact}`;
  const hints = [hint, twinsHint(copies)].filter((one) => one !== null);
  return `${verdict.status}: ${verdict.reason}: ${about}${hints.map((one) => `; hint: ${one}`).join("")}`;
}

/** Workers that share a name have only one verdict together. */
function twinsHint(copies: number): string | null {
  return copies === 1 ? null : `${copies} workers have this name: give each its own with -n`;
}
