import type { Reply } from "../broker/channel.ts";
import { type BrokerFailure, refusedBy } from "../broker/failure.ts";
import { askLengths, listsOf, type QueueLength } from "../celery/queues.ts";
import { DEFAULT_TRANSPORT, soonest } from "../celery/transport-options.ts";
import type { Host } from "../host.ts";
import { failure, type Outcome, success } from "../outcome.ts";
import { declaredQueues } from "../session/declared-queues.ts";
import { scan } from "../session/scan.ts";
import type { Session } from "../session/session.ts";
import { pairsOf } from "../session/unacked.ts";
import { failed, returned } from "./broker-steps.ts";
import type { FleetState } from "./fleet-state.ts";
import { declared, measured } from "./queue-steps.ts";

/**
 * The number of queues that are measured at a look, with nineteen keys each. If there are more, each look measures some
 * of them in turn.
 */
const QUEUES_A_LOOK = 100;

/** Queues measured with one write. */
const AT_ONCE = 25;

/**
 * One look at the broker: whether it answers, how long the queues are, and which deliveries are not acknowledged.
 *
 * @param turn which part of the queues to measure, if there are many
 */
export async function lookAtBroker(
  session: Session,
  state: FleetState,
  host: Host,
  turn: number,
): Promise<Outcome<void, BrokerFailure>> {
  const { prefix } = session.plan.naming;
  const told = [...state.transports.values()];
  const { unackedKey, unackedIndexKey } = told.length === 0 ? DEFAULT_TRANSPORT : soonest(told);
  const sentMs = host.now();
  const greeted = await session.send([
    ["PING"],
    ["HLEN", prefix + (unackedKey ?? "unacked")],
    ["ZRANGE", prefix + (unackedIndexKey ?? "unacked_index"), 0, 0, "WITHSCORES"],
  ]);
  if (!greeted.ok) return greeted;
  const [pong, held, oldest] = greeted.value;
  state.broker.rttMs = host.now() - sentMs;
  notePong(state, pong, host.now());
  state.unacked = unackedOf(held, oldest, host.epochSeconds());
  const queues = ofTurn([...state.queues.keys()], turn);
  const lengths = new Map<string, QueueLength>();
  for (let at = 0; at < queues.length; at += AT_ONCE) {
    const question = askLengths(queues.slice(at, at + AT_ONCE), prefix, listsOf(told));
    const sent = await session.send(question.commands);
    if (!sent.ok) return sent;
    for (const [queue, length] of question.read(sent.value)) lengths.set(queue, length);
  }
  measured(state, lengths, host.now());
  return success(undefined);
}

/**
 * A server that loads its data, or cannot save it, says so in its answer to PING. A refusal by an ACL is no problem.
 */
function notePong(state: FleetState, pong: Reply | undefined, nowMs: number): void {
  const refusal = pong?.ok === false ? refusedBy("PING", pong.error) : null;
  if (refusal === null || refusal.cause === "no-permission") returned(state, ["line", "ping"], nowMs);
  else failed(state, refusal, "ping", nowMs);
}

function unackedOf(
  held: Reply | undefined,
  oldest: Reply | undefined,
  epochS: number,
): FleetState["unacked"] {
  if (held?.ok !== true || typeof held.value !== "number") return null;
  const [pair] = oldest?.ok === true ? pairsOf(oldest.value) : [];
  return { messages: held.value, oldestS: pair === undefined ? null : Math.max(0, epochS - pair[1]) };
}

function ofTurn(queues: readonly string[], turn: number): readonly string[] {
  if (queues.length <= QUEUES_A_LOOK) return queues;
  const start = (turn * QUEUES_A_LOOK) % queues.length;
  return [...queues.slice(start), ...queues.slice(0, start)].slice(0, QUEUES_A_LOOK);
}

/** Slices of 500 keys that a search reads. A database with more keys is not searched completely. */
const MOST_SLICES = 200;

/** The keys of reply lists (kombu/pidbox.py), including ours. */
const REPLY_LISTS = "*.reply.*pidbox";

/**
 * Searches for declared queues and counts reply lists. Both use SCAN on a limited number of keys. Returns how many
 * slices it has read.
 */
export async function searchKeys(
  session: Session,
  state: FleetState,
): Promise<Outcome<number, BrokerFailure>> {
  const { prefix } = session.plan.naming;
  let slices = 1;
  const goesOn = () => ++slices <= MOST_SLICES;
  const lists = listsOf(state.transports.values());
  const found = await declaredQueues(session.send, { prefix, lists }, goesOn);
  if (found.search.isWhole) declared(state, found.queues);
  const before = slices;
  slices = 1;
  let counted = 0;
  const scanned = await scan(
    session.send,
    { pattern: literalPrefix(prefix) + REPLY_LISTS, slice: 500 },
    (keys) => {
      counted += keys.length;
      return [];
    },
    () => undefined,
    goesOn,
  );
  if (scanned.refusal === null) state.replyLists = counted;
  return scanned.failure === null ? success(before + slices) : failure(scanned.failure);
}

/** A character that has a meaning in SCAN's patterns is replaced by one that matches any character. */
function literalPrefix(prefix: string): string {
  return prefix.replace(/[*?[\]\\]/g, "?");
}
