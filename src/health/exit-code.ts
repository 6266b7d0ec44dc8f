import type { Evidence, NodeEvidence } from "./evidence.ts";
import type { Verdict } from "./verdict.ts";

/** How an `unknown` verdict counts. */
export type OnUnknown = "unhealthy" | "healthy";

/** The only two exit codes. Docker reserves 2. */
export function exitCode(verdict: Verdict, evidence: Evidence, onUnknown: OnUnknown): 0 | 1 {
  return verdict.status === "healthy" || isForgiven(verdict, evidence, onUnknown) ? 0 : 1;
}

/**
 * Whether an `unknown` verdict counts as healthy. The user must want it, and a live process of every worker must be in
 * sight.
 */
export function isForgiven(verdict: Verdict, evidence: Evidence, onUnknown: OnUnknown): boolean {
  const { asking, nodes } = evidence;
  if (verdict.status !== "unknown" || onUnknown !== "healthy" || nodes.length === 0) return false;
  // If a process is not known to be the worker's, it does not count as such.
  const gap = verdict.reason === "undecided" ? verdict.gap.kind : null;
  if (gap === "unrecognised" || gap === "misnamed") return false;
  const pongs = asking.kind === "asked" ? asking.pongs : [];
  return nodes.every((node) => isRunning(node) || pongs.some((pong) => pong.node === node.node));
}

function isRunning({ process, looks }: NodeEvidence): boolean {
  return process.kind === "seen" && looks.at(-1)?.process?.state === "running";
}
