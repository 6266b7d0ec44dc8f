import type { BrokerFailure } from "../broker/failure.ts";
import type { Route } from "../broker/keys.ts";
import { type Outcome, success } from "../outcome.ts";
import { MOST, type Room } from "./envelope.ts";
import type { Mailbox } from "./mailbox.ts";
import type { OverBound } from "./message.ts";

/** A request on its way: the message carries the ticket. */
export interface Sent {
  readonly route: Route;
  readonly message: string;
  readonly ticket: string;
}

/** What came back of one request. */
export interface Replies {
  /** Connections that were subscribed where it was published. */
  readonly subscribers: number;
  /** The results by full node name. */
  readonly results: ReadonlyMap<string, unknown>;
  /** Answers in a serialisation that is not read here (`task_serializer` other than json): their bytes as Latin-1. */
  readonly unread: readonly string[];
  /** Answers that are over a bound, and not read. */
  readonly overBound: readonly OverBound[];
  /** A node for each answer more that came in its name: of workers that share it, only the last result is kept. */
  readonly repeated: readonly string[];
}

/** Nobody was asked, or nobody could be. */
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
  /** What is kept of a result; default: all. */
  readonly keep?: (result: unknown) => unknown;
  /** Default: nothing else is kept beside them. */
  readonly room?: Room;
  /** Called behind large answers; default: not at all. */
  readonly collectGarbage?: () => void;
}

/** Characters of answers from which on they are large. */
const LARGE = 256 * 1024;

/**
 * Asks one question and collects what is answered, until `isEnough` or `waitMs` milliseconds have passed; nothing is
 * waited for where nobody is subscribed. The answers do not stay on the broker.
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
      // At once: all of them would be in memory twice.
      await mailbox.withdraw(answers);
      if (answers.reduce((sum, { element }) => sum + element.length, 0) > LARGE) collectGarbage?.();
      return isEnough(replies);
    },
    waitMs,
    { tickets: new Set([ticket]), longest: MOST.length, ...(room === undefined ? {} : { room }) },
  );
  return collected.ok ? success(replies) : collected;
}

/** How many have answered, in whatever way. */
export function answersIn({ results, unread, overBound, repeated }: Replies): number {
  return results.size + unread.length + overBound.length + repeated.length;
}

/** Whether a node has answered something that can be read, or that is known to be its own. */
export function hasAnswered({ results, overBound }: Replies, node: string): boolean {
  return results.has(node) || overBound.some((one) => one.node === node);
}

/** What is read of each node's answer; who answered in another form is missing. */
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

/** Results in the order of their nodes' names: who answers first differs from run to run. */
export function inOrder(results: ReadonlyMap<string, unknown>): ReadonlyMap<string, unknown> {
  return new Map([...results].sort(([a], [b]) => (a < b ? -1 : 1)));
}
