import type { BrokerFailure } from "../broker/failure.ts";
import type { Deadline } from "../deadline.ts";
import type { Placement } from "../discovery/place.ts";
import type { Host } from "../host.ts";
import { readPool } from "../celery/pool.ts";
import type { Question } from "../pidbox/message.ts";
import { hasAnswered, NO_REPLIES } from "../pidbox/query.ts";
import { type Heartbeats, listenToHeartbeats } from "../session/heartbeats.ts";
import type { SessionPlan } from "../session/plan.ts";
import { openSession, type Session } from "../session/session.ts";
import { isBeat } from "../celery/node-name.ts";
import { queueNames } from "../celery/queues.ts";
import { survey } from "../worker/survey.ts";
import { describesSafely } from "../celery/versions.ts";
import { memoryOf, queueMeter } from "./measure.ts";
import { type Known, oldestIn, watchedNodes } from "./nodes.ts";
import { type NodeRow, type NodeState, type QueueRow, stateOf, type View } from "./view.ts";

/** How often those are asked who are not heard, and those heard for what they run, in milliseconds. */
const PING_EVERY_MS = 30_000;
const TASKS_EVERY_MS = 10_000;

/** How often a node is asked for its pool and its queues, which can change while it runs, in milliseconds. */
const REFRESH_EVERY_MS = 60_000;

/** How long an answer is waited for, in milliseconds. */
const ANSWER_MS = 2_000;

/** When nobody is heard any more for so long, the connection that hears is made anew, in milliseconds. */
const DEAF_MS = 15_000;

export interface Observer {
  /** Looks once: measures the queues, and asks in the background what is due. */
  readonly look: () => Promise<View>;
  /** Resolves when what was asked has been answered, or not in time. */
  readonly settled: () => Promise<void>;
  readonly close: () => void;
}

/** A run without an end: each answer has its own limit. */
const ENDLESS: Deadline = { left: () => ANSWER_MS, atMost: (ms) => ms };

/** Watches the broker of a plan; connects when it is first asked to look, and again after each loss. */
export function observe(
  plan: SessionPlan,
  place: Placement,
  host: Host,
  given: { readonly nodes: readonly string[]; readonly queues: readonly string[] },
): Observer {
  const nodes = watchedNodes(host, isMeant);
  const known = nodes.all;
  const measure = queueMeter(plan.naming.prefix);
  let line: { readonly session: Session; ear: Heartbeats; earMs: number } | null = null;
  let trouble: { readonly failure: BrokerFailure; readonly sinceMs: number } | null = null;
  let workers = place.kind === "in-sight" ? place.survey.workers : [];
  let nameless = 0;
  let pingedMs = -Infinity;
  let askedTasksMs = -Infinity;
  let surveyedMs = -Infinity;
  let asking: Promise<void> | null = null;

  async function connect(): Promise<void> {
    const opened = await openSession(plan, host, ENDLESS);
    if (!opened.ok) {
      trouble = { failure: opened.problem, sinceMs: trouble?.sinceMs ?? host.now() };
      return;
    }
    const session = opened.value;
    line = { session, ear: listenToHeartbeats(session, host, ENDLESS), earMs: host.now() };
    trouble = null;
    pingedMs = askedTasksMs = -Infinity;
  }

  function lose(failure: BrokerFailure): void {
    line?.ear.close();
    line?.session.close();
    line = null;
    asking = null;
    trouble = { failure, sinceMs: host.now() };
  }

  function isMeant(node: string): boolean {
    return !isBeat(node) && (given.nodes.length === 0 || given.nodes.includes(node));
  }

  /** Takes in what was heard since the last look. */
  function hear(): void {
    if (line === null) return;
    const { ear } = line;
    nodes.hear(ear.spans);
    // Many connections may be cut at once without a word: who hears nobody listens anew.
    const newest = Math.max(line.earMs, ...[...ear.spans.values()].map(({ lastMs }) => lastMs));
    if (ear.heard.size > 0 && host.now() - newest > DEAF_MS) {
      ear.close();
      line.ear = listenToHeartbeats(line.session, host, ENDLESS);
      line.earMs = host.now();
    }
  }

  /** One question after the other, in the background. */
  async function ask(session: Session): Promise<void> {
    const heard = line?.ear.spans ?? new Map<string, never>();
    const isQuiet = [...known].some(
      ([name, { lastMs, isAnswering }]) =>
        !heard.has(name) || isAnswering === false || host.now() - lastMs > DEAF_MS / 2,
    );
    if (pingedMs === -Infinity || (isQuiet && host.now() - pingedMs >= PING_EVERY_MS)) {
      pingedMs = host.now();
      const whom = given.nodes.length > 0 ? given.nodes : "everyone";
      const pongs = await session.ask({ method: "ping" }, whom, ANSWER_MS);
      if (!pongs.ok) return;
      const { results, subscribers, unread, overBound } = pongs.value;
      for (const name of [...results.keys()].filter(isMeant)) nodes.of(name).lastMs = host.now();
      for (const [name, node] of known) node.isAnswering = results.has(name);
      const silent = [...known.values()].filter(({ isAnswering }) => isAnswering === false).length;
      nameless =
        given.nodes.length > 0
          ? 0
          : Math.max(0, subscribers - results.size - unread.length - overBound.length - silent);
    }
    // Who does not answer is not asked again before the next ping: each question goes to every worker.
    const due = [...known].filter(
      ([, { isAnswering, askedMs }]) => isAnswering !== false && host.now() - askedMs >= REFRESH_EVERY_MS,
    );
    if (due.length > 0) {
      const names = due.map(([name]) => name);
      for (const [, node] of due) node.askedMs = host.now();
      const told = await answers(session, { method: "stats" }, names);
      for (const [name, node] of due) {
        node.slots = readPool(told.results.get(name))?.size ?? node.slots;
        node.isAnswering = hasAnswered(told, name);
      }
      const those = names.filter((name) => hasAnswered(told, name));
      for (const [name, queues] of (await answers(session, { method: "active_queues" }, those)).results) {
        nodes.of(name).queues = queueNames(queues) ?? [];
      }
    }
    if (host.now() - askedTasksMs < TASKS_EVERY_MS) return;
    if (place.kind === "in-sight" && host.now() - surveyedMs >= TASKS_EVERY_MS) {
      surveyedMs = host.now();
      workers = survey(host.proc).workers;
    }
    const safe = [...heard].filter(([name, { last, lastMs }]) => {
      const { version } = last;
      const isThere = isMeant(name) && host.now() - lastMs < DEAF_MS && known.get(name)?.isAnswering === true;
      return isThere && version !== null && describesSafely(version);
    });
    // At the first look nobody has been heard yet: it is asked when somebody has been.
    if (safe.length === 0) return;
    askedTasksMs = host.now();
    const running = await answers(
      session,
      { method: "active" },
      safe.map(([name]) => name),
    );
    for (const [name, tasks] of running.results) {
      nodes.of(name).oldest = oldestIn(tasks);
    }
  }

  async function answers(session: Session, question: Question, whom: readonly string[]) {
    if (whom.length === 0) return NO_REPLIES;
    const replies = await session.ask(question, whom, ANSWER_MS);
    return replies.ok ? replies.value : NO_REPLIES;
  }

  async function lengths(session: Session): Promise<readonly QueueRow[] | null> {
    const consumed = [...known].flatMap(([name, node]) =>
      stateNow(name, node).kind === "silent" ? [] : node.queues,
    );
    const all = [...known.values()].flatMap((node) => node.queues);
    const names = [...new Set([...all, ...given.queues])].sort();
    const measured = await measure(session, names, consumed);
    if (measured.ok) return measured.value;
    lose(measured.problem);
    return null;
  }

  let queues: readonly QueueRow[] = [];
  async function look(): Promise<View> {
    if (line === null) await connect();
    const session = line?.session;
    if (session !== undefined) {
      hear();
      const measured = await lengths(session);
      queues = measured ?? queues;
      if (measured !== null) {
        asking ??= ask(session).finally(() => {
          asking = null;
        });
      }
    }
    nodes.forget();
    const memory = memoryOf(workers, host);
    const nowS = host.epochSeconds();
    return {
      broker: plan.broker.shown,
      atS: nowS,
      trouble:
        trouble === null
          ? null
          : { failure: trouble.failure, sinceS: (host.now() - trouble.sinceMs) / 1_000 },
      nodes: [...known]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, node]) => rowOf(name, node, memory, nowS)),
      queues,
      nameless,
    };
  }

  function rowOf(name: string, node: Known, memory: ReadonlyMap<string, number>, nowS: number): NodeRow {
    const beat = line?.ear.heard.get(name);
    const active = beat?.active ?? null;
    const { slots, perS, oldest } = node;
    return {
      node: name,
      state: stateNow(name, node),
      ...{ active, slots, perS, processed: beat?.processed ?? null },
      // It has ended since when nothing runs any more.
      oldest:
        oldest === null || active === 0
          ? null
          : { name: oldest.name, ageS: Math.max(0, nowS - oldest.startS) },
      memory: memory.get(name) ?? null,
    };
  }

  function stateNow(name: string, { lastMs, isAnswering, slots }: Known): NodeState {
    const beat = line?.ear.heard.get(name);
    const speaks = isAnswering === true && beat === undefined;
    return stateOf(lastMs / 1_000, host.now() / 1_000, speaks, beat?.active ?? null, slots);
  }

  return {
    look,
    settled: async () => {
      await asking;
    },
    close() {
      line?.ear.close();
      line?.session.close();
    },
  };
}
