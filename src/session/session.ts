import type { BrokerFailure } from "../broker/failure.ts";
import { type Destination, replyKey, routesTo } from "../broker/keys.ts";
import type { Deadline } from "../deadline.ts";
import { closeLines, type Lines, openLines } from "./lines.ts";
import type { SessionPlan } from "./plan.ts";
import type { Host } from "../host.ts";
import { type Outcome, success } from "../outcome.ts";
import type { Command, Reply } from "../broker/channel.ts";
import { type Room, startRoom } from "../pidbox/envelope.ts";
import { openMailbox } from "../pidbox/mailbox.ts";
import { encodeRequest, type Question } from "../pidbox/message.ts";
import { answersIn, hasAnswered, NO_REPLIES, query, type Replies } from "../pidbox/query.ts";

/** An open conversation with a broker and the workers on it, for commands that ask more than one thing. */
export interface Session extends Lines {
  readonly plan: SessionPlan;
  /**
   * Asks nodes, or everyone, one question.
   *
   * @param waitMs for how long answers are waited for, in milliseconds; ended before by `isEnough`, and by the deadline
   * @param keep what is kept of a result; default: all
   */
  readonly ask: (
    question: Question,
    whom: Destination,
    waitMs: number,
    isEnough?: (replies: Replies) => boolean,
    keep?: (result: unknown) => unknown,
  ) => Promise<Outcome<Replies, BrokerFailure>>;
  /** Sends commands to the broker that workers fetch from; fails when it does not answer within `--connect-timeout`. */
  readonly send: (commands: readonly Command[]) => Promise<Outcome<readonly Reply[], BrokerFailure>>;
  /** Runs a transaction there: see {@link Channel.transact}. */
  readonly transact: (
    before: readonly Command[],
    queue: (seen: readonly Reply[]) => Outcome<readonly Command[], BrokerFailure>,
  ) => Promise<Outcome<readonly unknown[], BrokerFailure>>;
  readonly close: () => void;
}

/** Replies that a list keeps: enough for a whole fleet. */
const KEEP = 4_096;

/** A question's answers take so much of the room that is left: one with large answers leaves some to the next. */
const SHARE = 7 / 8;

/**
 * Where answers come to. A run that asks the same nodes once a run has a list for them; who asks ever new sets of nodes for
 * days would leave a list for each.
 */
export type Replying = "list-a-destination" | "one-list";

/** What a question needs. */
interface Asking {
  readonly plan: SessionPlan;
  readonly host: Host;
  readonly deadline: Deadline;
  readonly lines: Lines;
  readonly room: Room | null;
  readonly replying: Replying;
  readonly collectGarbage: () => void;
}

/**
 * Connects where the plan says.
 *
 * @param room of all answers, where they are kept until the end; default: each question has its own
 */
export async function openSession(
  plan: SessionPlan,
  host: Host,
  deadline: Deadline,
  room: Room | null = null,
  replying: Replying = "list-a-destination",
): Promise<Outcome<Session, BrokerFailure>> {
  const collectGarbage = await host.spareMemory();
  const opened = await openLines(plan, host, deadline);
  if (!opened.ok) return opened;
  const lines = opened.value;
  const answerMs = () => deadline.atMost(plan.connectTimeout);
  // Measuring is not to wait for a transaction, or for a reply list of a whole fleet: a connection of its own for that.
  const side = await host.connect(lines.read.target, answerMs());
  if (!side.ok) {
    closeLines(lines);
    return side;
  }
  const asking: Asking = { plan, host, deadline, lines, room, replying, collectGarbage };
  return success({
    ...lines,
    plan,
    ask: oneAtATime((...question) => ask(asking, ...question)),
    send: (commands) => side.value.send(commands, answerMs()),
    transact: (before, queue) => side.value.transact(before, queue, answerMs),
    close() {
      side.value.close();
      closeLines(lines);
    },
  });
}

/** Each question is a transaction on the same connection. */
function oneAtATime(ask: Session["ask"]): Session["ask"] {
  let last: Promise<unknown> = Promise.resolve();
  return (...question) => {
    const next = last.then(() => ask(...question));
    // What one has failed with is not the next one's.
    last = next.catch(() => undefined);
    return next;
  };
}

async function ask(
  { plan, host, deadline, lines: { read, write }, room, replying, collectGarbage }: Asking,
  question: Question,
  whom: Destination,
  waitMs: number,
  isEnough = everyoneIn(whom),
  keep: (result: unknown) => unknown = (result) => result,
): Promise<Outcome<Replies, BrokerFailure>> {
  const { controlExchange } = plan.naming;
  const replyTo = replyKey(replying === "one-list" ? "everyone" : whom, controlExchange);
  const lines = { requests: read.channel, replies: write.channel, db: write.target.db };
  const answerMs = () => deadline.atMost(plan.connectTimeout);
  let answered: Outcome<Replies, BrokerFailure> = success(NO_REPLIES);
  for (const route of routesTo(read.target.db, plan.naming, replyTo, plan.broker.bySentinels)) {
    const ticket = host.uuid();
    const message = encodeRequest({
      question,
      destination: whom,
      ticket,
      controlExchange,
      replyTo,
      deliveryTag: host.uuid(),
      expires: host.epochSeconds() + waitMs / 1_000,
    });
    // A separate mailbox, so that replies to simultaneous questions stay apart.
    const mailbox = openMailbox(lines, KEEP, { now: host.now, pause: host.pause, answerMs });
    const share = room === null ? startRoom() : { left: Math.floor(room.left * SHARE) };
    const { left } = share;
    const manner = { isEnough, waitMs: deadline.atMost(waitMs), keep, room: share, collectGarbage };
    answered = await query(mailbox, { route, message, ticket }, manner);
    if (room !== null) room.left -= left - share.left;
    if (!answered.ok || answered.value.subscribers > 0) return answered;
  }
  return answered;
}

/** Every node that was named has answered, or as many as were subscribed. */
function everyoneIn(whom: Destination): (replies: Replies) => boolean {
  return (replies) =>
    whom === "everyone"
      ? answersIn(replies) >= replies.subscribers
      : whom.every((node) => hasAnswered(replies, node));
}
