import { type FleetState, type NodeState } from "./fleet-state.ts";
import { evidenceMs, isFresh, isHeard, isDeaf, silentAfterMs } from "./signs.ts";
import type { FleetVerdict } from "./fleet-view.ts";
import { givenUpQueue, stalledQueue } from "./queue-steps.ts";

/** A node that sends heartbeats but leaves this many pings in a row unanswered does not hear them. */
const DEAF_PINGS = 2;

/**
 * The verdict on a node at this time; pure. It uses the check's rules. It also uses the past, which the check cannot
 * know.
 */
export function judgeFleetNode(
  node: NodeState,
  state: FleetState,
  graceMs: number,
  nowMs: number,
): FleetVerdict {
  const lastMs = evidenceMs(node);
  const { trouble, returnedMs } = state.broker;
  // What its process shows comes before what is heard in its name, because another process may have the same name.
  if (node.seen !== null) return node.seen;
  if (isFresh(node, nowMs) && !isCutOff(node, state, nowMs)) return judgeFresh(node, state, graceMs, nowMs);
  if (node.gone?.how === "goodbye") return gone("goodbye", node.gone.atMs, nowMs);
  if (trouble !== null) {
    const { failure } = trouble;
    const reason = failure.kind === "refused" ? "broker-refused" : "broker-unreachable";
    return { status: "unknown", reason, failure };
  }
  if (lastMs === -Infinity) return undecided("never-heard", nowMs - node.firstMs);
  if (node.gone !== null) return gone("vanished", lastMs + node.awayMs, nowMs);
  if (lastMs < returnedMs && nowMs - returnedMs < graceMs)
    return undecided("broker-returned", nowMs - returnedMs);
  const silentMs = nowMs - lastMs - node.awayMs;
  const silence = { silentS: silentMs / 1_000, graceS: graceMs / 1_000 };
  return silentMs < graceMs
    ? { status: "healthy", reason: "busy", ...silence }
    : { status: "unhealthy", reason: "hung", ...silence };
}

/**
 * Whether the broker has been away for so long that its last answer tells nothing of now. A node without heartbeats is
 * as well as its last answer, and can give none.
 */
function isCutOff(node: NodeState, { broker: { trouble } }: FleetState, nowMs: number): boolean {
  if (trouble === null || isHeard(node, nowMs)) return false;
  return nowMs - Math.max(evidenceMs(node), trouble.sinceMs) > silentAfterMs(node);
}

/** Its loop turns, or it has just answered. */
function judgeFresh(node: NodeState, state: FleetState, graceMs: number, nowMs: number): FleetVerdict {
  const idle = state.broker.trouble === null ? judgeConsuming(state, node, nowMs) : null;
  if (idle !== null) return idle;
  if (node.missed >= DEAF_PINGS && isDeaf(node, nowMs)) {
    const sinceMs = Math.max(node.answeredMs, node.firstMs);
    return {
      status: "healthy",
      reason: "deaf",
      silentS: (nowMs - sinceMs) / 1_000,
      graceS: graceMs / 1_000,
    };
  }
  return { status: "healthy", reason: "alive" };
}

/** Whether messages wait for it and it does not fetch them; null: nothing shows that. */
function judgeConsuming(state: FleetState, node: NodeState, nowMs: number): FleetVerdict | null {
  const givenUp = givenUpQueue(state, node, nowMs);
  const found = givenUp ?? stalledQueue(state, node, nowMs);
  if (found === null) return null;
  const { queue, waiting, forMs } = found;
  const about = {
    status: "unhealthy",
    reason: "not-consuming",
    queue,
    waiting,
    forS: forMs / 1_000,
  } as const;
  return givenUp === null ? { ...about, how: "stalled" } : { ...about, how: "cancelled", node: node.name };
}

/** @param lastMs when it said goodbye, or was heard or answered last */
function gone(how: "goodbye" | "vanished", lastMs: number, nowMs: number): FleetVerdict {
  return { status: "unhealthy", reason: "gone", how, forS: (nowMs - lastMs) / 1_000 };
}

function undecided(because: "never-heard" | "broker-returned", forMs: number): FleetVerdict {
  return { status: "unknown", reason: "undecided", because, forS: forMs / 1_000 };
}

/** Whether it is silent for a reason that is not known yet. A ping shows whether it is gone. */
export function isNewlySilent(node: NodeState, nowMs: number): boolean {
  if (node.gone !== null || isFresh(node, nowMs)) return false;
  return (
    node.missedMs < evidenceMs(node) || (node.missed === 0 && nowMs - node.firstMs > silentAfterMs(node))
  );
}

/** Whether it has fallen silent since everybody was counted: a count tells whether somebody is subscribed in its name. */
export function isUncounted(node: NodeState, { countedMs }: FleetState, nowMs: number): boolean {
  if (node.gone !== null || evidenceMs(node) === -Infinity || isFresh(node, nowMs)) return false;
  return countedMs < (node.beats ? evidenceMs(node) + silentAfterMs(node) : node.missedFromMs);
}

/** Whether a ping would show something about it that its heartbeats do not show. */
export function isQuiet(node: NodeState, nowMs: number): boolean {
  if (node.gone !== null) return false;
  if (!isHeard(node, nowMs)) return true;
  // A node that was asked twice and does not hear us is asked only together with all others.
  return node.missed > 0 && node.missed < DEAF_PINGS;
}
