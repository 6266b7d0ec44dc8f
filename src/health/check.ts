import type { BrokerFailure } from "../broker/failure.ts";
import { type Deadline, startDeadline } from "../deadline.ts";
import type { Host } from "../host.ts";
import { openMailbox } from "../pidbox/mailbox.ts";
import type { Answer } from "../pidbox/message.ts";
import type { Asking, Evidence } from "./evidence.ts";
import { type Examination, prepareExamination } from "./examination.ts";
import { judge } from "./judge.ts";
import type { Conversation } from "./gather-work.ts";
import { wantsWork } from "./judgement.ts";
import type { Plan } from "./plan.ts";
import { requestMessage } from "./request.ts";
import { startRoll } from "./roll.ts";
import { openStateFile } from "./state-file.ts";

/** A ping needs at least this long to be worth sending, in milliseconds: a worker answers within a few. */
const SHORTEST_WAIT_MS = 20;

/** A worker that has not answered within this time, in milliseconds, is looked at while the wait goes on. */
const PROMPT_MS = 200;

/** Where nobody was subscribed, a worker may be back after this time, in milliseconds. */
const RECONNECTED_MS = 1_000;

/** Between two judgements where no answer is waited for, in milliseconds. */
const PAUSE_MS = 20;

/** Carries the plan out and gives what was seen; never throws, never outlasts the deadline. */
export async function gather(plan: Plan, host: Host): Promise<Evidence> {
  const deadline = startDeadline(plan.deadline, host.now);
  const state = openStateFile(plan.stateFile, host);
  const examination = prepareExamination(plan, host, deadline, state.silentForS);
  const interrupted = host.interrupted.then((signal): Evidence => {
    return evidenceOf({ kind: "interrupted", signal }, examination);
  });
  const evidence = await Promise.race([converse(plan, host, deadline, examination), interrupted]);
  examination.end();
  return { ...evidence, stateFileProblem: state.note(evidence, plan.rules) };
}

function evidenceOf(asking: Asking, examination: Examination): Evidence {
  const { upS, unacked } = examination.broker();
  return { asking, nodes: examination.nodes(), brokerUpS: upS, unacked, work: null, stateFileProblem: null };
}

async function converse(
  plan: Plan,
  host: Host,
  deadline: Deadline,
  examination: Examination,
): Promise<Evidence> {
  const evidence = (asking: Asking) => evidenceOf(asking, examination);
  const verdict = (asking: Asking) => judge(evidence(asking), plan.rules);
  /** What the processes show is said also where the broker cannot be asked. */
  const withoutBroker = async (asking: Asking): Promise<Evidence> => {
    await examination.begin(null);
    while (verdict(asking).status === "open" && deadline.left() > 0) await host.pause(PAUSE_MS);
    return evidence(asking);
  };
  if (deadline.left() === 0) return evidence({ kind: "no-time" });
  const channel = await host.connect(plan.broker.target, deadline.atMost(plan.connectTimeout));
  if (!channel.ok) return withoutBroker({ kind: "broker-failed", failure: channel.problem, pings: 0 });
  const mailbox = openMailbox(channel.value, plan.replies, {
    now: host.now,
    pause: host.pause,
    answerMs: () => deadline.atMost(plan.connectTimeout),
  });
  const conversation = { channel: channel.value, mailbox };
  const asking = await ask(
    plan,
    host,
    deadline,
    conversation,
    examination,
    (seen) => verdict(seen).status !== "open",
  );
  if (asking.kind !== "asked") {
    channel.value.close();
    return withoutBroker(asking);
  }
  let work: Evidence["work"] = null;
  if (wantsWork(plan.rules.work) && verdict(asking).status === "healthy") {
    const { gatherWork } = await import("./gather-work.ts");
    work = await gatherWork(plan, host, deadline, conversation, evidence(asking), examination);
  }
  channel.value.close();
  return { ...evidence(asking), work };
}

/** Pings until the evidence suffices or the time is over. */
async function ask(
  plan: Plan,
  host: Host,
  deadline: Deadline,
  { channel, mailbox }: Conversation,
  examination: Examination,
  isSettled: (asking: Asking) => boolean,
): Promise<Asking> {
  const roll = startRoll(plan.asked, host.now);
  const isSuspect = plan.targets.some(({ worker }) => worker !== null && "TtZ".includes(worker.state));
  let pings = 0;
  let subscribers = 0;
  let over = false;
  let cutShort = false;
  const seen = (): Asking => ({
    kind: "asked",
    pings,
    subscribers,
    pongs: roll.pongs(),
    waitedMs: roll.waitedMs(),
    over,
    cutShort,
  });
  const endWaiting = () => {
    cutShort ||= !over && deadline.left() < SHORTEST_WAIT_MS;
    over = true;
  };
  const broken = (failure: BrokerFailure): Asking => {
    if (pings === 0 || deadline.left() > 0) return { kind: "broker-failed", failure, pings };
    // A broker that is slower than the rest of the deadline is no news once a ping is out: what was seen counts.
    endWaiting();
    return seen();
  };
  const enough = async (answers: readonly Answer[]) => {
    roll.see(answers);
    if (isSuspect || subscribers === 0 || roll.waitedMs() >= PROMPT_MS) await examination.begin(channel);
    return isSettled(seen());
  };

  const ping = async (): Promise<BrokerFailure | null> => {
    const ticket = host.uuid();
    const published = await mailbox.publish(plan.channel, requestMessage(plan, host, "ping", ticket));
    if (!published.ok) return published.problem;
    pings += 1;
    subscribers = published.value;
    roll.sent(ticket);
    return null;
  };

  while (pings < plan.pings && deadline.left() >= SHORTEST_WAIT_MS) {
    const failure = await ping();
    if (failure !== null) return broken(failure);
    if (subscribers === 0) break;
    const collected = await mailbox.collect(enough, deadline.atMost(plan.timeout));
    if (!collected.ok) return broken(collected.problem);
    if (isSettled(seen())) return seen();
  }
  if (pings === 0) return { kind: "no-time" };
  endWaiting();
  // The wait for the pong is over; the looks may need longer. A worker that was just reconnecting can answer now.
  while (!isSettled(seen()) && deadline.left() >= SHORTEST_WAIT_MS) {
    const mayAnswer = subscribers === 0 && pings < plan.pings;
    const collected = await mailbox.collect(
      enough,
      mayAnswer ? deadline.atMost(RECONNECTED_MS) : deadline.left(),
    );
    if (!collected.ok) return broken(collected.problem);
    const failure = mayAnswer && !isSettled(seen()) ? await ping() : null;
    if (failure !== null) return broken(failure);
  }
  return seen();
}
