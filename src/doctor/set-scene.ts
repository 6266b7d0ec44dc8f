import type { BrokerFailure, RefusedCause } from "../broker/failure.ts";
import type { Deadline } from "../deadline.ts";
import type { CheckReport } from "../health/report.ts";
import type { Host } from "../host.ts";
import { failure } from "../outcome.ts";
import { MOST } from "../pidbox/envelope.ts";
import type { Question } from "../pidbox/message.ts";
import { inOrder, NO_REPLIES, type Replies } from "../pidbox/query.ts";
import { listenToHeartbeats } from "../session/heartbeats.ts";
import { openSession } from "../session/session.ts";
import { HEARD_WITHIN_MS, type Heartbeat } from "../celery/heartbeat.ts";
import { reportText, softwareIn } from "../inspect/risk.ts";
import { agedByNode } from "../celery/tasks.ts";
import { isBeat } from "../celery/node-name.ts";
import { describesSafely } from "../celery/versions.ts";
import type { TooLarge } from "./facts/worker.ts";
import type { Scene, TellingMethod } from "./scene.ts";

/** Trends are watched for so much of the time that is left at most: the rest is for asking. */
const OBSERVED_SHARE = 0.5;

/** For the answers to all questions: `report` writes them down once more, without secrets. */
const ROOM = (MOST.total * 2) / 3;

/** Connects and begins to listen; `end` closes what is open. */
export async function setScene(
  config: Scene["config"],
  check: CheckReport,
  host: Host,
  deadline: Deadline,
): Promise<{ readonly scene: Scene; readonly end: () => void }> {
  const { asked, targets } = check.plan;
  const session = await sessionFor(check, host, deadline);
  const ear = session.ok ? listenToHeartbeats(session.value, host, deadline) : null;
  const heard = (): ReadonlyMap<string, Heartbeat> => ear?.heard ?? new Map();
  const heartbeats = session.ok ? host.pause(deadline.atMost(HEARD_WITHIN_MS)) : Promise.resolve();
  const { ask, overBound } = questionsIn(session, config.timeout.value);
  /** The nodes that answered the ping. Only these are asked further, so that no reply is left unread. */
  const pinged = ask({ method: "ping" }, "everyone");
  const answering = pinged.then(({ results }) => [...results.keys()]);
  const workers = answering.then((nodes) => nodes.filter((node) => !isBeat(node)));
  let inHand: ReturnType<Scene["inHand"]> | null = null;
  let versions: ReturnType<Scene["versions"]> | null = null;
  const scene: Scene = {
    config,
    isMeant: (node) => config.node.value.length === 0 || asked.kind === "any" || asked.nodes.includes(node),
    host,
    deadline,
    check,
    workers: targets.flatMap(({ node, worker }) => (worker === null ? [] : [{ node, process: worker }])),
    session,
    answering: () => workers,
    async nodes() {
      await heartbeats;
      return [...new Set([...(await answering), ...heard().keys()])].sort();
    },
    told: onceEach(async (method) => {
      const nodes = await workers;
      const whom = method === "active" ? safeAmong(nodes, await scene.versions()) : nodes;
      return (await ask(QUESTIONS[method], whom)).results;
    }),
    inHand: () => (inHand ??= scene.told("active").then((told) => agedByNode(told, host.epochSeconds()))),
    versions: () => (versions ??= heartbeats.then(async () => versionsOf(await workers, heard(), ask))),
    async silent() {
      const { subscribers, results, overBound } = await pinged;
      return Math.max(0, subscribers - results.size - overBound.length);
    },
    repeated: async () => (await pinged).repeated,
    overBound: () => overBound,
    heard,
    spans: () => ear?.spans ?? new Map(),
    observed: () => host.pause(Math.min(config.observe.value, deadline.left() * OBSERVED_SHARE)),
  };
  return {
    scene,
    end() {
      ear?.close();
      if (session.ok) session.value.close();
    },
  };
}

/** None where the health check has seen that the broker cannot be read. */
async function sessionFor(
  { plan, evidence: { asking } }: CheckReport,
  host: Host,
  deadline: Deadline,
): Promise<Scene["session"]> {
  if (asking.kind === "broker-failed" && !canBeRead(asking.failure)) return failure(asking.failure);
  return openSession(plan, host, deadline, { left: ROOM });
}

type Ask = (question: Question, whom: readonly string[] | "everyone") => Promise<Replies>;

/** Asks by a session, if there is one; `overBound` grows with each answer that is not read. */
function questionsIn(
  session: Scene["session"],
  timeoutMs: number,
): { readonly ask: Ask; readonly overBound: readonly TooLarge[] } {
  const overBound: TooLarge[] = [];
  return {
    async ask(question, whom) {
      if (!session.ok || whom.length === 0) return NO_REPLIES;
      const replies = await session.value.ask(question, whom, timeoutMs);
      if (!replies.ok) return NO_REPLIES;
      overBound.push(...replies.value.overBound.map((one) => ({ method: question.method, ...one })));
      return { ...replies.value, results: inOrder(replies.value.results) };
    },
    overBound,
  };
}

function onceEach(find: Scene["told"]): Scene["told"] {
  const found = new Map<TellingMethod, ReturnType<Scene["told"]>>();
  return (method) => {
    const answers = found.get(method) ?? find(method);
    found.set(method, answers);
    return answers;
  };
}

/** Celery's, by heartbeats; who sends none is asked for the report, which is harmless. */
async function versionsOf(
  workers: readonly string[],
  heard: ReadonlyMap<string, Heartbeat>,
  ask: Ask,
): Promise<ReadonlyMap<string, string>> {
  const found = new Map(
    [...heard].flatMap(([node, { version }]) => (version === null ? [] : [[node, version] as const])),
  );
  const untold = workers.filter((node) => !found.has(node));
  for (const [node, answer] of (await ask(QUESTIONS.report, untold)).results) {
    const software = softwareIn(reportText(answer) ?? "");
    if (software !== null) found.set(node, software.celery);
  }
  return found;
}

/** Only those whose version shows that they describe the arguments of tasks instead of sending them. */
function safeAmong(nodes: readonly string[], versions: ReadonlyMap<string, string>): readonly string[] {
  return nodes.filter((node) => {
    const version = versions.get(node) ?? null;
    return version !== null && describesSafely(version);
  });
}

/** Refusals of what writes, or of one command: all else of the broker may be looked at. */
const PARTIAL: readonly RefusedCause[] = [
  "out-of-memory",
  "read-only",
  "cannot-write",
  "no-permission",
  "no-transactions",
  "wrong-type",
  "other",
];

function canBeRead(problem: BrokerFailure): boolean {
  return problem.kind === "refused" && PARTIAL.includes(problem.cause);
}

const QUESTIONS: { readonly [M in TellingMethod]: Question } = {
  stats: { method: "stats" },
  active_queues: { method: "active_queues" },
  active: { method: "active" },
  registered: { method: "registered", taskInfo: ["time_limit", "rate_limit"], builtins: false },
  conf: { method: "conf", withDefaults: false },
  report: { method: "report" },
};
