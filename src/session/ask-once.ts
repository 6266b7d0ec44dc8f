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

/** An answer that is not read, and to what. */
export interface TooLarge extends OverBound {
  readonly method: Question["method"];
}

/** What the workers of a session tell of themselves: nobody is asked the same twice. */
export interface Answers {
  /** The workers that have answered a ping to everybody. */
  readonly answering: () => Promise<readonly string[]>;
  /** Every worker that the broker has heard of: who answered, and who sends heartbeats. */
  readonly nodes: () => Promise<readonly string[]>;
  /**
   * What answering nodes say of themselves, by full node name, each asked once a run. Nodes with an answer in another
   * format, or a late one, are missing. `active` is asked only of nodes whose version shows that it is safe.
   */
  readonly told: (method: TellingMethod) => Promise<ReadonlyMap<string, unknown>>;
  /** The tasks that they run, as they tell in `active`, with their ages when they were asked. */
  readonly inHand: () => Promise<InHand>;
  /** Celery's, of each node that told it by a heartbeat or when it was asked. */
  readonly versions: () => Promise<ReadonlyMap<string, string>>;
  /** How many more workers are subscribed than have answered with a name of their own. */
  readonly silent: () => Promise<number>;
  /** A node for each further answer to the ping in its name: of workers that share one. */
  readonly repeated: () => Promise<readonly string[]>;
  /** Answers so far that were more than is read. */
  readonly overBound: () => readonly TooLarge[];
}

/** How they are asked. */
interface Asking {
  /** Null: nobody can be asked. */
  readonly session: Session | null;
  /** For how long each question is waited for, in milliseconds. */
  readonly timeoutMs: number;
  readonly epochSeconds: () => number;
  /** The newest heartbeat of each node, and when all who send them have had the time to. */
  readonly heard: () => ReadonlyMap<string, Heartbeat>;
  readonly hearing: Promise<void>;
}

/** Pings everybody at once, and asks anything else when it is wanted. */
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
  /** Only these are asked further, so that no reply is left unread. A beat answers pings alone. */
  const answering = pinged.then(({ results }) => [...results.keys()].filter(isWorker));
  /** By heartbeats; who sends none is asked for the report, which is harmless. */
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

/** What is found about each is kept: it is looked for once. */
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
