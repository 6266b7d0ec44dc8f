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
  const { plan } = check;
  const { asking } = check.evidence;
  const session =
    asking.kind === "broker-failed" && !canBeRead(asking.failure)
      ? failure(asking.failure)
      : await openSession(plan, host, deadline, { left: ROOM });
  const ear = session.ok ? listenToHeartbeats(session.value, host, deadline) : null;
  const heard = (): ReadonlyMap<string, Heartbeat> => ear?.heard ?? new Map();
  const heartbeats = host.pause(deadline.atMost(HEARD_WITHIN_MS));
  const overBound: TooLarge[] = [];
  const told = new Map<TellingMethod, Promise<ReadonlyMap<string, unknown>>>();

  async function ask(question: Question, whom: readonly string[] | "everyone"): Promise<Replies> {
    if (!session.ok || whom.length === 0) return NO_REPLIES;
    const replies = await session.value.ask(question, whom, config.timeout.value);
    if (!replies.ok) return NO_REPLIES;
    overBound.push(...replies.value.overBound.map((one) => ({ method: question.method, ...one })));
    return { ...replies.value, results: inOrder(replies.value.results) };
  }

  /** Those that answer: who does not is asked nothing more, so that no answer comes when nobody waits for it. */
  const pinged = ask({ method: "ping" }, "everyone");
  const answering = pinged.then(({ results }) => [...results.keys()]);
  const workers = answering.then((nodes) => nodes.filter((node) => !isBeat(node)));

  /** Celery's, by heartbeats; who sends none is asked for the report, which is harmless. */
  async function findVersions(): Promise<ReadonlyMap<string, string>> {
    if (!session.ok) return new Map();
    await heartbeats;
    const found = new Map(
      [...heard()].flatMap(([node, { version }]) => (version === null ? [] : [[node, version] as const])),
    );
    const untold = (await workers).filter((node) => !found.has(node));
    const { results } = await ask(QUESTIONS.report, untold);
    for (const [node, answer] of results) {
      const software = softwareIn(reportText(answer) ?? "");
      if (software !== null) found.set(node, software.celery);
    }
    return found;
  }
  let versions: ReturnType<typeof findVersions> | null = null;

  /** Only those whose version shows that they describe the arguments of tasks instead of sending them. */
  async function safeWorkers(): Promise<readonly string[]> {
    const known = await scene.versions();
    return (await workers).filter((node) => {
      const version = known.get(node) ?? null;
      return version !== null && describesSafely(version);
    });
  }

  async function askOnce(method: TellingMethod): Promise<ReadonlyMap<string, unknown>> {
    const { results } = await ask(QUESTIONS[method], await (method === "active" ? safeWorkers() : workers));
    return results;
  }

  const { asked } = plan;
  const scene: Scene = {
    config,
    isMeant: (node) => config.node.value.length === 0 || asked.kind === "any" || asked.nodes.includes(node),
    host,
    deadline,
    check,
    workers: plan.targets.flatMap(({ node, worker }) => (worker === null ? [] : [{ node, process: worker }])),
    session,
    answering: () => workers,
    async nodes() {
      await heartbeats;
      return [...new Set([...(await answering), ...heard().keys()])].sort();
    },
    told(method) {
      const asked = told.get(method) ?? askOnce(method);
      told.set(method, asked);
      return asked;
    },
    versions: () => (versions ??= findVersions()),
    async silent() {
      const { subscribers, results, overBound } = await pinged;
      return Math.max(0, subscribers - results.size - overBound.length);
    },
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
