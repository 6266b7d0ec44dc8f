import type { BrokerFailure } from "../broker/failure.ts";
import { routesTo } from "../broker/keys.ts";
import { type Deadline, startDeadline } from "../deadline.ts";
import type { Host } from "../host.ts";
import { type Outcome, success } from "../outcome.ts";
import { openMailbox } from "../pidbox/mailbox.ts";
import type { Shared } from "./accept-shared.ts";
import { ask } from "./ask.ts";
import type { Asking, Evidence } from "./evidence.ts";
import { type Examination, prepareExamination } from "./examination.ts";
import { conclude, judge } from "./judge.ts";
import { wantsWork } from "./judgement.ts";
import { closeLines, type Lines, openLines } from "../session/lines.ts";
import type { CheckPlan } from "./plan.ts";
import { openStateFile } from "./state-file.ts";

/** The time between two judgements when no answer is expected, in milliseconds. */
const PAUSE_MS = 20;

/** Carries out the plan and returns what was seen. Never throws, never takes longer than the deadline. */
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
 * How an `unknown` counts depends on whether the workers' processes live. A silent broker may have used up all the
 * time, but one look takes no time.
 */
export async function withProcesses(evidence: Evidence, examination: Examination): Promise<Evidence> {
  await examination.begin(null);
  return { ...evidence, nodes: examination.nodes() };
}

function evidenceOf(asking: Asking, examination: Examination, masterForS: number | null = null): Evidence {
  const { upS, unacked, brokerName } = examination.broker();
  // For its workers, a master is as young as its last failover.
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
    notTaken: null,
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
  /** What the processes show is reported even when the broker cannot be asked. */
  const withoutBroker = async (asking: Asking): Promise<Evidence> => {
    await examination.begin(null);
    while (verdict(asking).status === "open" && deadline.left() > 0) await host.pause(PAUSE_MS);
    return evidence(asking);
  };
  if (deadline.left() === 0) return evidence({ kind: "no-time" });
  const opened = await open(plan, host, deadline);
  if (!opened.ok) return withoutBroker({ kind: "broker-failed", failure: opened.problem, pings: 0 });
  const { lines, shared } = opened.value;
  if (shared?.kind === "shared") {
    closeLines(lines);
    return evidence(shared);
  }
  const notTaken = shared?.why ?? null;
  const { read, write } = lines;
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
    closeLines(lines);
    return { ...(await withoutBroker(asking)), notTaken };
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
  closeLines(lines);
  return { ...evidence(asking), otherExchange, work, notTaken };
}

/** Connects. With `--accept-shared`, it may turn out that no worker has to be asked. */
async function open(
  plan: CheckPlan,
  host: Host,
  deadline: Deadline,
): Promise<Outcome<{ readonly lines: Lines; readonly shared: Shared | null }, BrokerFailure>> {
  if (plan.acceptShared !== null)
    return (await import("./accept-shared.ts")).openAndRead(plan, host, deadline);
  const lines = await openLines(plan, host, deadline);
  return lines.ok ? success({ lines: lines.value, shared: null }) : lines;
}
