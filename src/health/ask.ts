import type { BrokerFailure } from "../broker/failure.ts";
import type { Destination, Route } from "../broker/keys.ts";
import type { Found } from "../broker/search.ts";
import type { Deadline } from "../deadline.ts";
import type { Host } from "../host.ts";
import { type Outcome, success } from "../outcome.ts";
import type { Answer } from "../pidbox/message.ts";
import { asFailover } from "../session/lines.ts";
import type { Asking, Via } from "./evidence.ts";
import type { Examination } from "./examination.ts";
import type { Conversation } from "./gather-work.ts";
import type { Judgement } from "./judgement.ts";
import type { CheckPlan } from "./plan.ts";
import { requestMessage } from "./request.ts";
import { type Roll, startRoll } from "./roll.ts";

/**
 * A ping is sent only if at least this much time is left for its answer, in milliseconds. A worker answers within a
 * few.
 */
const SHORTEST_WAIT_MS = 20;

/** If a worker has not answered after this time, its process is examined while the wait goes on. In milliseconds. */
const PROMPT_MS = 200;

/** If there was no subscriber, a worker may have reconnected after this time, in milliseconds. */
const RECONNECTED_MS = 1_000;

/** What the asking needs, and its results so far. */
interface Inquiry {
  readonly plan: CheckPlan;
  readonly host: Host;
  readonly deadline: Deadline;
  readonly conversation: Conversation;
  readonly examination: Examination;
  /** The verdict that the evidence allows so far. */
  readonly judged: (asking: Asking) => Judgement;
  readonly roll: Roll;
  /** The nodes that were asked, and the nodes that were found later. */
  readonly asked: Set<string>;
  /** A process was seen halted before any node was asked. */
  readonly isSuspect: boolean;
  pings: number;
  /** How many pings may be sent. Each node that is found adds one. */
  rounds: number;
  subscribers: number;
  channel: string;
  over: boolean;
  cutShort: boolean;
}

/** Sends pings until the evidence is enough or the time is over. */
export async function ask(
  plan: CheckPlan,
  host: Host,
  deadline: Deadline,
  conversation: Conversation,
  examination: Examination,
  judged: (asking: Asking) => Judgement,
): Promise<Asking> {
  const inquiry: Inquiry = {
    plan,
    host,
    deadline,
    conversation,
    examination,
    judged,
    roll: startRoll(plan.asked, host.now),
    asked: new Set(plan.asked.kind === "nodes" ? plan.asked.nodes : []),
    isSuspect: plan.targets.some(({ worker }) => worker !== null && "TtZ".includes(worker.state)),
    pings: 0,
    rounds: plan.pings,
    subscribers: 0,
    channel: conversation.routes[0].channel,
    over: false,
    cutShort: false,
  };
  const suffices = await askInTime(inquiry);
  if (!suffices.ok) return broken(inquiry, suffices.problem);
  if (inquiry.pings === 0) return { kind: "no-time" };
  if (suffices.value) return seen(inquiry);
  endWaiting(inquiry);
  for (const step of [lookOn, askTheDeaf]) {
    const failure = await step(inquiry);
    if (failure !== null) return broken(inquiry, failure);
  }
  return seen(inquiry);
}

/** Sends the pings and waits for each. Returns whether the evidence is enough. */
async function askInTime(inquiry: Inquiry): Promise<Outcome<boolean, BrokerFailure>> {
  const { plan, deadline } = inquiry;
  while (inquiry.pings < inquiry.rounds && deadline.left() >= SHORTEST_WAIT_MS) {
    const problem = await ping(inquiry);
    if (problem !== null) return { ok: false, problem };
    if (inquiry.subscribers === 0) break;
    const collected = await collect(inquiry, deadline.atMost(plan.timeout));
    if (!collected.ok) return collected;
    if (isSettled(inquiry)) return success(true);
  }
  return success(false);
}

/** The wait for the pong is over, but the looks may need longer. A worker that was just reconnecting can answer now. */
async function lookOn(inquiry: Inquiry): Promise<BrokerFailure | null> {
  const { deadline } = inquiry;
  while (!isSettled(inquiry) && deadline.left() >= SHORTEST_WAIT_MS) {
    const mayAnswer = inquiry.subscribers === 0 && inquiry.pings < inquiry.rounds;
    const waitMs = mayAnswer ? deadline.atMost(RECONNECTED_MS) : deadline.left();
    const collected = await collect(inquiry, waitMs);
    if (!collected.ok) return collected.problem;
    const failure = mayAnswer && !isSettled(inquiry) ? await ping(inquiry) : null;
    if (failure !== null) return failure;
  }
  return null;
}

/**
 * A worker that is starting may have begun to listen since. It is asked once more before we report that it does not
 * listen.
 */
async function askTheDeaf(inquiry: Inquiry): Promise<BrokerFailure | null> {
  const { plan, deadline, conversation, roll } = inquiry;
  const judgement = inquiry.judged(seen(inquiry));
  const isDeaf = judgement.status === "healthy" && judgement.reason === "deaf";
  if (!isDeaf || deadline.left() < SHORTEST_WAIT_MS) return null;
  const before = inquiry.subscribers;
  const failure = await ping(inquiry);
  if (failure !== null) return failure;
  // A new subscriber is a worker that starts. It will answer as soon as it can.
  const { subscribers } = inquiry;
  const waitMs = subscribers > before ? plan.timeout : subscribers === 0 ? 0 : PROMPT_MS;
  const collected = await conversation.mailbox.collect(
    (answers) => Promise.resolve(roll.see(answers)),
    deadline.atMost(waitMs),
    roll.expected,
  );
  return collected.ok ? null : collected.problem;
}

function seen({ pings, conversation, channel, subscribers, roll, over, cutShort }: Inquiry): Asking {
  return {
    kind: "asked",
    pings,
    via: viaOf(conversation.read, channel),
    subscribers,
    pongs: roll.pongs(),
    waitedMs: roll.waitedMs(),
    over,
    cutShort,
  };
}

export function viaOf({ target, shown }: Found, channel: string): Via {
  const { db, tls } = target;
  const kind = tls === null ? "none" : tls.reqs === "none" ? "not-verified" : "verified";
  return { server: shown, db, tls: kind, channel };
}

function isSettled(inquiry: Inquiry): boolean {
  return inquiry.judged(seen(inquiry)).status !== "open";
}

function endWaiting(inquiry: Inquiry): void {
  inquiry.cutShort ||= !inquiry.over && inquiry.deadline.left() < SHORTEST_WAIT_MS;
  inquiry.over = true;
}

function broken(inquiry: Inquiry, problem: BrokerFailure): Asking {
  const { pings, deadline, conversation } = inquiry;
  const failure = asFailover(problem, conversation.write);
  if (pings === 0 || deadline.left() >= SHORTEST_WAIT_MS) return { kind: "broker-failed", failure, pings };
  // After a ping was sent, a slow broker is not the news. What was seen so far counts.
  endWaiting(inquiry);
  return seen(inquiry);
}

/** Nodes that heartbeats have shown since the first ping. */
function newcomers({ examination, asked }: Inquiry): readonly string[] {
  return examination.nodes().flatMap(({ node }) => (asked.has(node) ? [] : [node]));
}

/** Collects answers. A node that is found meanwhile is asked at once. */
async function collect(inquiry: Inquiry, waitMs: number): Promise<Outcome<void, BrokerFailure>> {
  const { host, conversation, roll, asked } = inquiry;
  const end = host.now() + waitMs;
  const enough = (answers: readonly Answer[]) => hasEnough(inquiry, answers);
  for (;;) {
    const left = Math.max(0, end - host.now());
    const collected = await conversation.mailbox.collect(enough, left, roll.expected);
    const found = newcomers(inquiry);
    if (!collected.ok || found.length === 0) return collected;
    for (const node of found) asked.add(node);
    roll.add(found);
    inquiry.rounds += 1;
    const problem = await ping(inquiry, found);
    if (problem !== null) return { ok: false, problem };
  }
}

async function hasEnough(inquiry: Inquiry, answers: readonly Answer[]): Promise<boolean> {
  const { roll, isSuspect, subscribers, examination, conversation } = inquiry;
  roll.see(answers);
  const isLate = subscribers === 0 || roll.waitedMs() >= PROMPT_MS;
  // A worker that has answered by now, even late, is not examined. But a process that was seen stopped outranks its
  // pong.
  if (isSuspect || (isLate && !isSettled(inquiry))) {
    const { read, write } = conversation;
    await examination.begin({ channel: read.channel, heartbeats: write.target });
  }
  return isSettled(inquiry) || newcomers(inquiry).length > 0;
}

function everyoneIn({ plan, asked }: Inquiry): Destination {
  return plan.destination === "everyone" ? "everyone" : [...asked];
}

async function ping(inquiry: Inquiry, whom = everyoneIn(inquiry)): Promise<BrokerFailure | null> {
  const { plan, host, conversation, roll } = inquiry;
  const { read, mailbox, routes } = conversation;
  const ticket = host.uuid();
  const message = requestMessage(plan, host, { method: "ping" }, ticket, whom);
  const [usual, ...others] = routes;
  const published = await mailbox.publish(usual, message);
  if (!published.ok) return published.problem;
  inquiry.subscribers = published.value;
  inquiry.channel = usual.channel;
  // If the URL names Sentinels, workers of either kind may exist. Otherwise, if the usual channel has a subscriber, the
  // other channels are used only after nobody answered on it.
  const isWide = inquiry.subscribers === 0 || inquiry.pings > 0 || read.masterForS !== null;
  if (isWide) await publishAlso(inquiry, others, message);
  inquiry.pings += 1;
  roll.sent(ticket);
  // With no subscriber, an unwanted password in the URL is the likelier cause.
  return inquiry.subscribers === 0 ? (read.channel.pardoned?.() ?? null) : null;
}

/** A refusal by an ACL here says nothing about the worker. A broken connection is noticed at the next step. */
async function publishAlso(inquiry: Inquiry, others: readonly Route[], message: string): Promise<void> {
  // Every worker on that channel would answer: workers of other applications, or workers that reply into other
  // databases.
  if (inquiry.plan.destination === "everyone") return;
  for (const route of others) {
    const published = await inquiry.conversation.mailbox.publish(route, message);
    if (!published.ok || published.value === 0) continue;
    if (inquiry.subscribers === 0) inquiry.channel = route.channel;
    inquiry.subscribers += published.value;
  }
}
