import type { BrokerFailure } from "../broker/failure.ts";
import type { Destination } from "../broker/keys.ts";
import type { Host } from "../host.ts";
import { type Outcome, success } from "../outcome.ts";
import { isPong } from "../pidbox/message.ts";
import type { Session } from "../session/session.ts";
import { pinged } from "./answers.ts";
import type { FleetState } from "./fleet-state.ts";
import { isNewlySilent, isQuiet, isUncounted } from "./judge-fleet-node.ts";
import { ANSWER_MS } from "./line.ts";

/** How patient a round is, in milliseconds. */
export interface RoundTimes {
  readonly roundEveryMs: number;
  readonly graceMs: number;
}

/**
 * How often all nodes are pinged, including the ones that were heard: heartbeats do not show that a worker hears us.
 */
export const FULL_EVERY_MS = 300_000;

/** A node that falls silent is asked before its round. But two pings to all nodes are at least this far apart. */
const SOONEST_MS = 10_000;

/** If the broker has refused a question, we ask again after this time. */
const REFUSED_MS = 5_000;

/** The nodes that should be pinged now; null: no ping is due. */
export function duePing(state: FleetState, times: RoundTimes, nowMs: number): Destination | null {
  const sinceMs = nowMs - state.pingedMs;
  const { meant, nodes, broker } = state;
  if (broker.trouble !== null && sinceMs < REFUSED_MS) return null;
  const all = [...nodes.values()];
  const isFull = sinceMs >= FULL_EVERY_MS || broker.trouble !== null;
  const silent = all.some((node) => isNewlySilent(node, nowMs));
  // Subscribers without a name are counted until each has told it.
  const isUnclear = state.nameless > 0 || all.some((node) => isQuiet(node, nowMs));
  const isDue =
    isFull ||
    (sinceMs >= times.roundEveryMs && isUnclear) ||
    (sinceMs >= Math.min(times.roundEveryMs, SOONEST_MS) && silent);
  if (!isDue) return null;
  // The number of subscribers shows something about the named nodes only if all nodes are counted.
  if (meant === null || all.some((node) => isUncounted(node, state, nowMs))) return "everyone";
  // A node that said goodbye is heard when it comes back. A full round asks it too: its next worker may send no
  // heartbeats.
  return isFull ? [...meant] : [...meant].filter((name) => nodes.get(name)?.gone?.how !== "goodbye");
}

/** Pings the nodes and records which ones answer. */
export async function ping(
  session: Session,
  state: FleetState,
  host: Host,
  whom: Destination,
  graceMs: number,
): Promise<Outcome<void, BrokerFailure>> {
  const sentMs = host.now();
  state.pingedMs = sentMs;
  const keep = (result: unknown) => (isPong(result) ? host.now() : null);
  const replies = await session.ask({ method: "ping" }, whom, ANSWER_MS, undefined, keep);
  if (!replies.ok) return replies;
  const { results, subscribers, unread, overBound, repeated } = replies.value;
  const copies = new Map<string, number>();
  for (const node of repeated) copies.set(node, (copies.get(node) ?? 1) + 1);
  const pongs = new Map(
    [...results].flatMap(([node, atMs]) =>
      typeof atMs === "number" ? [[node, { atMs, copies: copies.get(node) ?? 1 }] as const] : [],
    ),
  );
  const asked = whom === "everyone" ? null : whom;
  pinged(state, { sentMs, asked, subscribers, pongs, unread: unread.length + overBound.length }, graceMs);
  return success(undefined);
}
