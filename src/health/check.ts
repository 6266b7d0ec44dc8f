import type { BrokerFailure } from "../broker/failure.ts";
import { type Destination, type Route, routesTo } from "../broker/keys.ts";
import type { Found } from "../broker/search.ts";
import { type Deadline, startDeadline } from "../deadline.ts";
import type { Host } from "../host.ts";
import type { Outcome } from "../outcome.ts";
import { openMailbox } from "../pidbox/mailbox.ts";
import type { Answer } from "../pidbox/message.ts";
import type { Asking, Evidence, Via } from "./evidence.ts";
import { type Examination, prepareExamination } from "./examination.ts";
import { conclude, judge } from "./judge.ts";
import type { Conversation } from "./gather-work.ts";
import { type Judgement, wantsWork } from "./judgement.ts";
import { asFailover, closeLines, openLines } from "../session/lines.ts";
import type { CheckPlan } from "./plan.ts";
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
export async function gather(plan: CheckPlan, host: Host): Promise<Evidence> {
  const deadline = startDeadline(plan.deadline, host.now);
  const state = openStateFile(plan.stateFile, host);
  const examination = prepareExamination(plan, host, deadline, state.silentForS);
  const interrupted = host.interrupted.then((signal): Evidence => {
    return evidenceOf({ kind: "interrupted", signal }, examination);
  });
  const said = await Promise.race([converse(plan, host, deadline, examination), interrupted]);
  const evidence =
    conclude(said, plan.rules).status === "unknown" ? await withProcesses(said, examination) : said;
  examination.end();
  return { ...evidence, stateFileProblem: state.note(evidence, plan.rules) };
}

/**
 * What an unknown counts as depends on whether the workers' processes live. A broker that fell silent may have taken all
 * the time; one look takes none of it.
 */
export async function withProcesses(evidence: Evidence, examination: Examination): Promise<Evidence> {
  await examination.begin(null);
  return { ...evidence, nodes: examination.nodes() };
}

function evidenceOf(asking: Asking, examination: Examination, masterForS: number | null = null): Evidence {
  const { upS, unacked, brokerName } = examination.broker();
  // To its workers a master is as young as its last failover.
  const brokerUpS = masterForS === null ? upS : Math.min(masterForS, upS ?? masterForS);
  return {
    asking,
    nodes: examination.nodes(),
    brokerUpS,
    masterForS,
    brokerName,
    unacked,
    otherExchange: null,
    work: null,
    stateFileProblem: null,
  };
}

async function converse(
  plan: CheckPlan,
  host: Host,
  deadline: Deadline,
  examination: Examination,
): Promise<Evidence> {
  let masterForS: number | null = null;
  const evidence = (asking: Asking) => evidenceOf(asking, examination, masterForS);
  const verdict = (asking: Asking) => judge(evidence(asking), plan.rules);
  /** What the processes show is said also where the broker cannot be asked. */
  const withoutBroker = async (asking: Asking): Promise<Evidence> => {
    await examination.begin(null);
    while (verdict(asking).status === "open" && deadline.left() > 0) await host.pause(PAUSE_MS);
    return evidence(asking);
  };
  if (deadline.left() === 0) return evidence({ kind: "no-time" });
  const lines = await openLines(plan, host, deadline);
  if (!lines.ok) return withoutBroker({ kind: "broker-failed", failure: lines.problem, pings: 0 });
  const { read, write } = lines.value;
  ({ masterForS } = read);
  const mailbox = openMailbox(
    { requests: read.channel, replies: write.channel, db: write.target.db },
    plan.keep,
    {
      now: host.now,
      pause: host.pause,
      answerMs: () => deadline.atMost(plan.connectTimeout),
    },
  );
  const routes = routesTo(read.target.db, plan.naming, plan.replyTo, plan.broker.bySentinels);
  const conversation = { read, write, mailbox, routes };
  const asking = await ask(plan, host, deadline, conversation, examination, verdict);
  if (asking.kind !== "asked") {
    closeLines(lines.value);
    return withoutBroker(asking);
  }
  let otherExchange: string | null = null;
  if (asking.subscribers === 0 && asking.pongs.length === 0 && plan.asked.kind === "nodes") {
    const { findExchange } = await import("./find-exchange.ts");
    otherExchange = await findExchange(read.channel, plan.naming, plan.asked.nodes, deadline);
  }
  let work: Evidence["work"] = null;
  if (wantsWork(plan.rules.work) && verdict(asking).status === "healthy") {
    const { gatherWork } = await import("./gather-work.ts");
    work = await gatherWork(plan, host, deadline, conversation, evidence(asking), examination);
  }
  closeLines(lines.value);
  return { ...evidence(asking), otherExchange, work };
}

/** Whether a loop that turns is said not to hear what it is asked. */
function isDeaf(judgement: Judgement): boolean {
  return judgement.status === "healthy" && judgement.reason === "deaf";
}

function viaOf({ target, shown }: Found, channel: string): Via {
  const { db, tls } = target;
  const kind = tls === null ? "none" : tls.reqs === "none" ? "not-verified" : "verified";
  return { server: shown, db, tls: kind, channel };
}

/** Pings until the evidence suffices or the time is over; `judged` says what it suffices for. */
async function ask(
  plan: CheckPlan,
  host: Host,
  deadline: Deadline,
  { read, write, mailbox, routes }: Conversation,
  examination: Examination,
  judged: (asking: Asking) => Judgement,
): Promise<Asking> {
  const { masterForS } = read;
  const roll = startRoll(plan.asked, host.now);
  const isSuspect = plan.targets.some(({ worker }) => worker !== null && "TtZ".includes(worker.state));
  let pings = 0;
  /** How many pings may be sent: one more for each time that somebody is found. */
  let rounds = plan.pings;
  let subscribers = 0;
  let [{ channel }] = routes;
  let over = false;
  let cutShort = false;
  const seen = (): Asking => ({
    kind: "asked",
    pings,
    via: viaOf(read, channel),
    subscribers,
    pongs: roll.pongs(),
    waitedMs: roll.waitedMs(),
    over,
    cutShort,
  });
  const isSettled = () => judged(seen()).status !== "open";
  const asked = new Set(plan.asked.kind === "nodes" ? plan.asked.nodes : []);
  /** Nodes that have been found since, by their heartbeats. */
  const newcomers = () => examination.nodes().flatMap(({ node }) => (asked.has(node) ? [] : [node]));
  const endWaiting = () => {
    cutShort ||= !over && deadline.left() < SHORTEST_WAIT_MS;
    over = true;
  };
  const broken = (problem: BrokerFailure): Asking => {
    const failure = asFailover(problem, write);
    if (pings === 0 || deadline.left() >= SHORTEST_WAIT_MS) return { kind: "broker-failed", failure, pings };
    // A broker that is slower than the rest of the deadline is no news once a ping is out: what was seen counts.
    endWaiting();
    return seen();
  };
  const enough = async (answers: readonly Answer[]) => {
    roll.see(answers);
    const isLate = subscribers === 0 || roll.waitedMs() >= PROMPT_MS;
    // Whoever has answered by now, late as it may be, is not looked at; a process seen stopped outranks its pong.
    if (isSuspect || (isLate && !isSettled())) {
      await examination.begin({ channel: read.channel, heartbeats: write.target });
    }
    return isSettled() || newcomers().length > 0;
  };

  const everyone = (): Destination => (plan.destination === "everyone" ? "everyone" : [...asked]);

  const ping = async (destination = everyone()): Promise<BrokerFailure | null> => {
    const ticket = host.uuid();
    const message = requestMessage(plan, host, { method: "ping" }, ticket, destination);
    const [usual, ...others] = routes;
    const published = await mailbox.publish(usual, message);
    if (!published.ok) return published.problem;
    subscribers = published.value;
    ({ channel } = usual);
    // Workers that come by Sentinels may be of either kind. Else, where somebody is subscribed to the usual channel, the
    // others are left alone until nobody has answered there.
    if (subscribers === 0 || pings > 0 || masterForS !== null) await publishAlso(others, message);
    pings += 1;
    roll.sent(ticket);
    // Where nobody is, what the URL has and no worker may have is the likelier cause.
    return subscribers === 0 ? (read.channel.pardoned?.() ?? null) : null;
  };

  /** What an ACL forbids here says nothing of the worker; what breaks the connection is seen at the next step. */
  const publishAlso = async (others: readonly Route[], message: string): Promise<void> => {
    // Everybody who hears it there would answer: workers of other applications, or into other databases.
    if (plan.destination === "everyone") return;
    for (const route of others) {
      const published = await mailbox.publish(route, message);
      if (!published.ok || published.value === 0) continue;
      if (subscribers === 0) ({ channel } = route);
      subscribers += published.value;
    }
  };

  /** Collects answers; whoever is found meanwhile is asked at once. */
  const collect = async (waitMs: number): Promise<Outcome<void, BrokerFailure>> => {
    const end = host.now() + waitMs;
    for (;;) {
      const collected = await mailbox.collect(enough, Math.max(0, end - host.now()), roll.expected);
      const found = newcomers();
      if (!collected.ok || found.length === 0) return collected;
      for (const node of found) asked.add(node);
      roll.add(found);
      rounds += 1;
      const problem = await ping(found);
      if (problem !== null) return { ok: false, problem };
    }
  };

  while (pings < rounds && deadline.left() >= SHORTEST_WAIT_MS) {
    const failure = await ping();
    if (failure !== null) return broken(failure);
    if (subscribers === 0) break;
    const collected = await collect(deadline.atMost(plan.timeout));
    if (!collected.ok) return broken(collected.problem);
    if (isSettled()) return seen();
  }
  if (pings === 0) return { kind: "no-time" };
  endWaiting();
  // The wait for the pong is over; the looks may need longer. A worker that was just reconnecting can answer now.
  while (!isSettled() && deadline.left() >= SHORTEST_WAIT_MS) {
    const mayAnswer = subscribers === 0 && pings < rounds;
    const collected = await collect(mayAnswer ? deadline.atMost(RECONNECTED_MS) : deadline.left());
    if (!collected.ok) return broken(collected.problem);
    const failure = mayAnswer && !isSettled() ? await ping() : null;
    if (failure !== null) return broken(failure);
  }
  // One that is starting may have begun to listen since: before it is said not to, it is asked once more.
  if (isDeaf(judged(seen())) && deadline.left() >= SHORTEST_WAIT_MS) {
    const before = subscribers;
    const failure = await ping();
    if (failure !== null) return broken(failure);
    // Whoever has come is starting, and answers when it gets to it.
    const waitMs = subscribers > before ? plan.timeout : subscribers === 0 ? 0 : PROMPT_MS;
    const collected = await mailbox.collect(
      (answers) => Promise.resolve(roll.see(answers)),
      deadline.atMost(waitMs),
      roll.expected,
    );
    if (!collected.ok) return broken(collected.problem);
  }
  return seen();
}
