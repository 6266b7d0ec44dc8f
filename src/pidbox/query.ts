import type { BrokerFailure } from "../broker/failure.ts";
import type { Route } from "../broker/keys.ts";
import { type Outcome, success } from "../outcome.ts";
import { MOST, type Room } from "./envelope.ts";
import type { Mailbox } from "./mailbox.ts";
import type { OverBound } from "./message.ts";

/** A request to send. Its message carries the ticket. */
export interface Sent {
  readonly route: Route;
  readonly message: string;
  readonly ticket: string;
}

/** The replies to one request. */
export interface Replies {
  /** Connections that were subscribed to the channel when the request was published. */
  readonly subscribers: number;
  /** The results, by full node name. */
  readonly results: ReadonlyMap<string, unknown>;
  /** Answers in a serialisation that we do not read (`task_serializer` other than json): their bytes as Latin-1. */
  readonly unread: readonly string[];
  /** Answers over a limit, which are not read. */
  readonly overBound: readonly OverBound[];
  /** One entry for each further answer in a node's name. If workers share a name, only the last result is kept. */
  readonly repeated: readonly string[];
}

/** No node was asked, or none could be. */
export const NO_REPLIES: Replies = {
  subscribers: 0,
  results: new Map(),
  unread: [],
  overBound: [],
  repeated: [],
};

/** How a question is asked, and what is kept of the answers. */
export interface Manner {
  readonly isEnough: (replies: Replies) => boolean;
  readonly waitMs: number;
  /** Returns the part of a result to keep; default: all of it. */
  readonly keep?: (result: unknown) => unknown;
  /** Default: a new one, because no other answers are kept. */
  readonly room?: Room;
  /** Called after large answers; default: never. */
  readonly collectGarbage?: () => void;
}

/** Answers with at least this many characters are large. */
const LARGE = 256 * 1024;

/**
 * Asks one question and collects the answers, until `isEnough` returns true or `waitMs` milliseconds have passed. If
 * there is no subscriber, it does not wait. The answers are removed from the broker.
 */
export async function query(
  mailbox: Mailbox,
  { route, message, ticket }: Sent,
  { isEnough, waitMs, keep = (result) => result, room, collectGarbage }: Manner,
): Promise<Outcome<Replies, BrokerFailure>> {
  const published = await mailbox.publish(route, message);
  if (!published.ok) return published;
  const results = new Map<string, unknown>();
  const unread: string[] = [];
  const overBound: OverBound[] = [];
  const repeated: string[] = [];
  const replies: Replies = { subscribers: published.value, results, unread, overBound, repeated };
  if (published.value === 0) return success(replies);
  const collected = await mailbox.collect(
    async (answers) => {
      for (const answer of answers) {
        if (answer.said.kind === "unread") {
          unread.push(answer.said.bytes);
          continue;
        }
        if (answer.said.kind === "over-bound") {
          overBound.push(answer.said);
          continue;
        }
        const { node, result } = answer.said;
        if (results.has(node)) repeated.push(node);
        results.set(node, keep(result));
      }
      // Now, not later: otherwise all answers would be in memory twice.
      await mailbox.withdraw(answers);
      if (answers.reduce((sum, { element }) => sum + element.length, 0) > LARGE) collectGarbage?.();
      return isEnough(replies);
    },
    waitMs,
    { tickets: new Set([ticket]), longest: MOST.length, ...(room === undefined ? {} : { room }) },
  );
  return collected.ok ? success(replies) : collected;
}

/** How many answers came, readable or not. */
export function answersIn({ results, unread, overBound, repeated }: Replies): number {
  return results.size + unread.length + overBound.length + repeated.length;
}

/** Whether a node's answer can be read, or is known to come from this node. */
export function hasAnswered({ results, overBound }: Replies, node: string): boolean {
  return results.has(node) || overBound.some((one) => one.node === node);
}

/** Each node's answer as `read` returns it. Answers in another form are missing. */
export function readEach<T>(
  results: ReadonlyMap<string, unknown>,
  read: (result: unknown) => T | null,
): ReadonlyMap<string, T> {
  const found = new Map<string, T>();
  for (const [node, result] of results) {
    const told = read(result);
    if (told !== null) found.set(node, told);
  }
  return found;
}

/** Results in the order of the node names. The order of the answers differs from run to run. */
export function inOrder(results: ReadonlyMap<string, unknown>): ReadonlyMap<string, unknown> {
  return new Map([...results].sort(([a], [b]) => (a < b ? -1 : 1)));
}
