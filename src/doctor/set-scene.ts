import type { Deadline } from "../deadline.ts";
import type { CheckReport } from "../health/report.ts";
import type { Host } from "../host.ts";
import type { Question } from "../pidbox/message.ts";
import { listenToHeartbeats } from "../session/heartbeats.ts";
import { openSession } from "../session/session.ts";
import type { Heartbeat } from "../worker/heartbeat.ts";
import { workerNode } from "../worker/survey.ts";
import { describesSafely } from "../worker/versions.ts";
import type { Scene, TellingMethod } from "./scene.ts";

/** How long trends are watched, in milliseconds, and which share of the time that is left at most. */
const OBSERVED_MS = 5_000;
const OBSERVED_SHARE = 0.5;

/** Every worker sends a heartbeat within this time, in milliseconds, if it sends any. */
const HEARTBEAT_MS = 2_500;

/** Connects and begins to listen; `end` closes what is open. */
export async function setScene(
  config: Scene["config"],
  check: CheckReport,
  host: Host,
  deadline: Deadline,
): Promise<{ readonly scene: Scene; readonly end: () => void }> {
  const { plan } = check;
  const session = await openSession(plan, host, deadline);
  const ear = session.ok ? listenToHeartbeats(session.value, host, deadline) : null;
  const heard = (): ReadonlyMap<string, Heartbeat> => ear?.heard ?? new Map();
  const survey = plan.place.kind === "inside" ? plan.place.survey.workers : [];
  const heartbeats = host.pause(deadline.atMost(HEARTBEAT_MS));
  const observed = host.pause(Math.min(OBSERVED_MS, deadline.left() * OBSERVED_SHARE));
  const told = new Map<TellingMethod | "ping", Promise<ReadonlyMap<string, unknown>>>();

  function ask(question: Question): Promise<ReadonlyMap<string, unknown>> {
    return question.method === "active" ? askTasks() : askAll(question, "everyone");
  }

  /** Only whose heartbeat shows that it describes arguments instead of sending them. */
  async function askTasks(): Promise<ReadonlyMap<string, unknown>> {
    await heartbeats;
    const safe = [...heard().values()].filter(({ version }) => version !== null && describesSafely(version));
    return safe.length === 0
      ? new Map()
      : askAll(
          { method: "active" },
          safe.map(({ node }) => node),
        );
  }

  async function askAll(
    question: Question,
    whom: readonly string[] | "everyone",
  ): Promise<ReadonlyMap<string, unknown>> {
    if (!session.ok) return new Map();
    const replies = await session.value.ask(question, whom, config.timeout.value);
    return replies.ok ? replies.value.results : new Map();
  }

  function once(question: Question & { readonly method: TellingMethod | "ping" }) {
    const before = told.get(question.method);
    const asked = before ?? ask(question);
    told.set(question.method, asked);
    return asked;
  }

  const scene: Scene = {
    config,
    host,
    deadline,
    check,
    workers: survey.map((process) => ({ node: workerNode(process, host.hostname, host.env), process })),
    session,
    async nodes() {
      const answering = await once({ method: "ping" });
      await heartbeats;
      return [...new Set([...answering.keys(), ...heard().keys()])].sort();
    },
    told: (method) => once(QUESTIONS[method]),
    heard,
    observed: () => observed,
  };
  return {
    scene,
    end() {
      ear?.close();
      if (session.ok) session.value.close();
    },
  };
}

const QUESTIONS: { readonly [M in TellingMethod]: Question & { readonly method: M } } = {
  stats: { method: "stats" },
  active_queues: { method: "active_queues" },
  active: { method: "active" },
  registered: { method: "registered", taskInfo: [], builtins: false },
  conf: { method: "conf", withDefaults: false },
  report: { method: "report" },
};
