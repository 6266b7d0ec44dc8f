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

/** An open connection to a broker and its workers, for commands that ask several questions. */
export interface Session extends Lines {
  readonly plan: SessionPlan;
  /**
   * Asks nodes, or everyone, one question.
   *
   * @param waitMs the longest wait for answers, in milliseconds. `isEnough` and the deadline end it earlier
   * @param keep changes each result before it is kept. By default it is kept whole
   */
  readonly ask: (
    question: Question,
    whom: Destination,
    waitMs: number,
    isEnough?: (replies: Replies) => boolean,
    keep?: (result: unknown) => unknown,
  ) => Promise<Outcome<Replies, BrokerFailure>>;
  /** Sends commands to the broker that workers consume from. Fails if there is no answer within `--connect-timeout`. */
  readonly send: (commands: readonly Command[]) => Promise<Outcome<readonly Reply[], BrokerFailure>>;
  /** Runs a transaction on that broker: see {@link Channel.transact}. */
  readonly transact: (
    before: readonly Command[],
    queue: (seen: readonly Reply[]) => Outcome<readonly Command[], BrokerFailure>,
  ) => Promise<Outcome<readonly unknown[], BrokerFailure>>;
  readonly close: () => void;
}

/** The longest length of a reply list, enough for a large fleet. */
const KEEP = 4_096;

/** The share of the room left that one question's answers may take. The rest is for later questions. */
const SHARE = 7 / 8;

/**
 * Which reply list answers go to. A short run has a list for each set of nodes that it asks. A run that asks new sets
 * for days would leave one list for each set, so it uses a single list.
 */
export type Replying = "list-a-destination" | "one-list";

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
 * Connects to the brokers of the plan.
 *
 * @param room the room for all answers together, if they are kept until the end. Default: each question has its own
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
  // Measuring uses its own connection, so that it does not wait for a transaction or a long reply list.
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

/** Asks one question after the other, because each is a transaction on the same connection. */
function oneAtATime(ask: Session["ask"]): Session["ask"] {
  let last: Promise<unknown> = Promise.resolve();
  return (...question) => {
    const next = last.then(() => ask(...question));
    // A failed question must not fail the next one.
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

/** Whether every named node has answered. For everyone: whether there are as many answers as subscribers. */
function everyoneIn(whom: Destination): (replies: Replies) => boolean {
  return (replies) =>
    whom === "everyone"
      ? answersIn(replies) >= replies.subscribers
      : whom.every((node) => hasAnswered(replies, node));
}
