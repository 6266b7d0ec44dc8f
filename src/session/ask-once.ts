import type { Destination } from "../broker/keys.ts";
import type { Heartbeat } from "../celery/heartbeat.ts";
import { isBeat } from "../celery/node-name.ts";
import { agedTasks, type InHand } from "../celery/tasks.ts";
import { describesSafely, softwareTold } from "../celery/versions.ts";
import type { OverBound, Question } from "../pidbox/message.ts";
import { inOrder, NO_REPLIES, readEach, type Replies } from "../pidbox/query.ts";
import type { Session } from "./session.ts";

const QUESTIONS = {
  stats: { method: "stats" },
  active_queues: { method: "active_queues" },
  active: { method: "active" },
  registered: { method: "registered", taskInfo: ["time_limit", "rate_limit"], builtins: false },
  conf: { method: "conf", withDefaults: false },
  report: { method: "report" },
} as const satisfies Readonly<Record<string, Question>>;

export type TellingMethod = keyof typeof QUESTIONS;

/** An answer that was too large to be read, and its question. */
export interface TooLarge extends OverBound {
  readonly method: Question["method"];
}

/** What the workers of a session say about themselves. Each question is asked only once. */
export interface Answers {
  /** The workers that answered a ping to everyone. */
  readonly answering: () => Promise<readonly string[]>;
  /** Every worker that answered the ping or sends heartbeats. */
  readonly nodes: () => Promise<readonly string[]>;
  /**
   * Answers by full node name. Each method is asked once a run. Nodes whose answer has another format, or came too
   * late, are missing. `active` is asked only of nodes whose version shows that it is safe.
   */
  readonly told: (method: TellingMethod) => Promise<ReadonlyMap<string, unknown>>;
  /** The running tasks, from the answers to `active`. Their ages are by the time of the question. */
  readonly inHand: () => Promise<InHand>;
  /** Celery's version on each node, from its heartbeat or from an answer. */
  readonly versions: () => Promise<ReadonlyMap<string, string>>;
  /** How many workers are subscribed but did not answer with a name of their own. */
  readonly silent: () => Promise<number>;
  /** If workers share a name: the name again for each further answer to the ping. */
  readonly repeated: () => Promise<readonly string[]>;
  /** Answers so far that were too large to be read. */
  readonly overBound: () => readonly TooLarge[];
}

interface Asking {
  /** Null: there is no connection to the workers. */
  readonly session: Session | null;
  /** The longest wait for the answers to one question, in milliseconds. */
  readonly timeoutMs: number;
  readonly epochSeconds: () => number;
  /** `heard`: the newest heartbeat of each node. `hearing` resolves when every worker has had time to send one. */
  readonly heard: () => ReadonlyMap<string, Heartbeat>;
  readonly hearing: Promise<void>;
}

/** Pings everyone at once, and asks the other questions when their answers are needed. */
export function askOnce({ session, timeoutMs, epochSeconds, heard, hearing }: Asking): Answers {
  const overBound: TooLarge[] = [];
  const ask = async (question: Question, whom: Destination): Promise<Replies> => {
    if (session === null || whom.length === 0) return NO_REPLIES;
    const replies = await session.ask(question, whom, timeoutMs);
    if (!replies.ok) return NO_REPLIES;
    overBound.push(...replies.value.overBound.map((one) => ({ method: question.method, ...one })));
    return { ...replies.value, results: inOrder(replies.value.results) };
  };
  const pinged = ask({ method: "ping" }, "everyone");
  /**
   * Only these nodes are asked further, so that no reply is left unread. A beat answers only pings, so it is left out.
   */
  const answering = pinged.then(({ results }) => [...results.keys()].filter(isWorker));
  /** Taken from heartbeats. Nodes without heartbeats are asked for the report, which does no harm. */
  const versions = once(async () => {
    await hearing;
    const found = new Map(
      [...heard()].flatMap(([node, { version }]) => (version === null ? [] : [[node, version] as const])),
    );
    const untold = (await answering).filter((node) => !found.has(node));
    const { results } = await ask(QUESTIONS.report, untold);
    for (const [node, { celery }] of readEach(results, softwareTold)) found.set(node, celery);
    return found;
  });
  const told = onceEach(async (method: TellingMethod) => {
    const known = method === "active" ? await versions() : null;
    const isSafe = (node: string) => known === null || describesSafely(known.get(node) ?? null);
    return (await ask(QUESTIONS[method], (await answering).filter(isSafe))).results;
  });
  return {
    ...{ told, versions, answering: () => answering, overBound: () => overBound },
    inHand: once(async () => {
      const active = await told("active");
      const nowS = epochSeconds();
      return readEach(active, (answer) => agedTasks(answer, nowS));
    }),
    async nodes() {
      await hearing;
      const all = [...(await pinged).results.keys(), ...heard().keys()];
      return [...new Set(all)].filter(isWorker).sort();
    },
    async silent() {
      const { subscribers, results, overBound: large } = await pinged;
      return Math.max(0, subscribers - results.size - large.length);
    },
    repeated: async () => (await pinged).repeated,
  };
}

function isWorker(node: string): boolean {
  return !isBeat(node);
}

/** Calls `find` once for each argument, and keeps what it returned. */
function onceEach<A, T>(find: (about: A) => T): (about: A) => T {
  const found = new Map<A, T>();
  return (about) => {
    const known = found.get(about) ?? find(about);
    found.set(about, known);
    return known;
  };
}

function once<T>(find: () => T): () => T {
  const each = onceEach(find);
  return () => each(undefined);
}
