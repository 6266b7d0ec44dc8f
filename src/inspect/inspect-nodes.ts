import type { BrokerFailure } from "../broker/failure.ts";
import type { Destination } from "../broker/keys.ts";
import { type Outcome, success } from "../outcome.ts";
import type { OverBound, Question } from "../pidbox/message.ts";
import { answersIn, hasAnswered, inOrder, NO_REPLIES, readEach, type Replies } from "../pidbox/query.ts";
import type { Session } from "../session/session.ts";
import { isBeat } from "../celery/node-name.ts";
import { softwareTold } from "../celery/versions.ts";
import { nodeIn } from "./known-nodes.ts";
import { type Method, methodFacts } from "./methods.ts";
import { type Danger, dangerOf, isEventlet } from "./risk.ts";

/** A node whose answer was expected and is missing. */
export type Absence =
  /** Its name is known, but it answers nothing. */
  | { readonly kind: "silent"; readonly node: string }
  /** Subscribed, but it does not answer and its name is not known. */
  | { readonly kind: "unnamed"; readonly count: number }
  /** Answers in a serialisation that cannot be read. Null: its name is not known. */
  | { readonly kind: "unread"; readonly node: string | null }
  /** Its answer is too large to be read. */
  | ({ readonly kind: "over-bound" } & OverBound)
  /** Answers pings, but did not answer this question. */
  | { readonly kind: "late"; readonly node: string }
  /** Did not say its versions, so it was not asked. */
  | { readonly kind: "unversioned"; readonly node: string }
  /** A beat was named. Beats answer only pings. */
  | { readonly kind: "beat"; readonly node: string };

/** A node that the method was not sent to, and why. */
export interface Unsafe {
  readonly node: string;
  readonly danger: Danger;
}

/** The result of asking. */
export type Inspection =
  | {
      readonly kind: "answered";
      /** By full node name, sorted. */
      readonly results: ReadonlyMap<string, unknown>;
      readonly absent: readonly Absence[];
      /** Names that two or more workers share. Only one answer of each is kept. */
      readonly shared: readonly string[];
    }
  | {
      readonly kind: "refused";
      readonly unsafe: readonly Unsafe[];
      /** Nodes that the method could be sent to. */
      readonly safe: readonly string[];
    };

/** Which nodes to ask, and how. */
export interface Inquiry {
  readonly question: Question;
  /** Full node names. Empty: everyone. */
  readonly given: readonly string[];
  /** Names known so far from heartbeats and from processes in sight. */
  readonly known: () => readonly string[];
  /** Names that are searched for in answers that cannot be read. */
  readonly bound: () => Promise<readonly string[]>;
  readonly allowRisky: boolean;
  /** The longest wait for the answers to one question, in milliseconds. */
  readonly timeoutMs: number;
  /** Changes each result before it is kept. */
  readonly keep: (result: unknown) => unknown;
}

type Asked<T> = Promise<Outcome<T, BrokerFailure>>;

/**
 * Asks nodes a question after a ping. Only nodes that answered the ping are asked, so that no answer with arguments or
 * settings is left unread. A beat answers only pings, so its answer is not waited for.
 */
export async function inspectNodes(session: Session, inquiry: Inquiry): Asked<Inspection> {
  const { question, given, allowRisky, timeoutMs, keep } = inquiry;
  const everyone = given.length === 0;
  const pinged = await session.ask(
    { method: "ping" },
    everyone ? "everyone" : given,
    timeoutMs,
    (replies) =>
      everyone
        ? answersIn(replies) >= replies.subscribers
        : given.every((node) => hasAnswered(replies, node) || isUnread(node, replies)),
    question.method === "ping" ? keep : undefined,
  );
  if (!pinged.ok) return pinged;
  const pongs = pinged.value;
  const unread = await unreadNodes(pongs, inquiry);
  const present = [...pongs.results.keys()];
  const overBound = pongs.overBound.map(({ node }) => node);
  if (question.method === "ping") {
    // An unreadable answer to a ping can only be a pong.
    const named = unread.flatMap((node) => (node === null ? [] : [[node, { ok: "pong" }] as const]));
    const nameless = unread.filter((node) => node === null);
    const results = inOrder(new Map([...pongs.results, ...named]));
    const absent = absences(pongs, nameless, [...results.keys(), ...overBound], inquiry);
    return success({ kind: "answered", results, absent, shared: sharedNames(pongs) });
  }
  const absent = [...absences(pongs, unread, [...present, ...unread, ...overBound], inquiry)];
  const beats = present.filter(isBeat);
  if (!everyone) absent.push(...beats.map((node) => ({ kind: "beat", node }) as const));
  let nodes = present.filter((node) => !isBeat(node));
  if (methodFacts(question.method).content !== "harmless" && !allowRisky && nodes.length > 0) {
    const sorted = await sortByRisk(session, question.method, nodes, timeoutMs);
    if (!sorted.ok) return sorted;
    const { safe, unsafe, unknown } = sorted.value;
    if (unsafe.length > 0) return success({ kind: "refused", unsafe, safe });
    absent.push(...unknown.map((node) => ({ kind: "unversioned", node }) as const));
    nodes = [...safe];
  }
  const isAll = everyone && nodes.length + pongs.repeated.length === pongs.subscribers;
  const asked = await askThese(session, question, nodes, isAll, pongs.repeated.length, timeoutMs, keep);
  if (!asked.ok) return asked;
  const { results } = asked.value;
  const late = nodes.filter((node) => !hasAnswered(asked.value, node));
  absent.push(...tooLarge(asked.value), ...late.map((node) => ({ kind: "late", node }) as const));
  return success({ kind: "answered", results: inOrder(results), absent, shared: sharedNames(pongs) });
}

/** @param namesakes the number of further answers from workers that share a name */
async function askThese(
  session: Session,
  question: Question,
  nodes: readonly string[],
  isAll: boolean,
  namesakes: number,
  timeoutMs: number,
  keep?: Inquiry["keep"],
): Asked<Replies> {
  if (nodes.length === 0) return success(NO_REPLIES);
  const whom: Destination = isAll ? "everyone" : nodes;
  return session.ask(
    question,
    whom,
    timeoutMs,
    (replies) =>
      nodes.every((node) => hasAnswered(replies, node)) && answersIn(replies) >= nodes.length + namesakes,
    keep,
  );
}

interface Sorted {
  readonly safe: readonly string[];
  readonly unsafe: readonly Unsafe[];
  readonly unknown: readonly string[];
}

/** Asks the nodes for their versions. If these are safe, it also asks for their pools if the method needs it. */
async function sortByRisk(
  session: Session,
  method: Method,
  nodes: readonly string[],
  timeoutMs: number,
): Asked<Sorted> {
  const reports = await askThese(session, { method: "report" }, nodes, false, 0, timeoutMs);
  if (!reports.ok) return reports;
  const software = readEach(reports.value.results, softwareTold);
  const unsafe = [...software].flatMap(([node, its]): readonly Unsafe[] => {
    const danger = dangerOf(methodFacts(method).content, its);
    return danger === null ? [] : [{ node, danger }];
  });
  let safe = [...software.keys()].filter((node) => !unsafe.some((one) => one.node === node));
  if (methodFacts(method).content === "raw" && safe.length > 0) {
    const stats = await askThese(session, { method: "stats" }, safe, false, 0, timeoutMs);
    if (!stats.ok) return stats;
    const { results } = stats.value;
    for (const [node, its] of software) {
      if (isEventlet(results.get(node))) unsafe.push({ node, danger: { kind: "eventlet", software: its } });
    }
    safe = safe.filter((node) => results.has(node) && !isEventlet(results.get(node)));
  }
  const sorted = new Set([...safe, ...unsafe.map(({ node }) => node)]);
  return success({ safe, unsafe, unknown: nodes.filter((node) => !sorted.has(node)) });
}

function isUnread(node: string, { unread }: Replies): boolean {
  return unread.some((bytes) => nodeIn(bytes, [node]) !== null);
}

async function unreadNodes(
  { unread }: Replies,
  { given, known, bound }: Inquiry,
): Promise<readonly (string | null)[]> {
  if (unread.length === 0) return [];
  const names = [...given, ...known(), ...(await bound())];
  return unread.map((bytes) => nodeIn(bytes, names));
}

/** The nodes that should have answered the ping but did not, and the nodes whose answer cannot be read. */
function absences(
  pongs: Replies,
  unread: readonly (string | null)[],
  present: readonly (string | null)[],
  { given, known }: Inquiry,
): readonly Absence[] {
  const expected = given.length > 0 ? given : known();
  const silent = [...new Set(expected)].filter((node) => !present.includes(node)).sort();
  const count = given.length > 0 ? 0 : pongs.subscribers - answersIn(pongs) - silent.length;
  return [
    ...silent.map((node) => ({ kind: "silent", node }) as const),
    ...(count > 0 ? [{ kind: "unnamed", count } as const] : []),
    ...unread.map((node) => ({ kind: "unread", node }) as const),
    ...tooLarge(pongs),
  ];
}

function tooLarge({ overBound }: Replies): readonly Absence[] {
  return overBound.map((one) => ({ kind: "over-bound", ...one }));
}

function sharedNames({ repeated }: Replies): readonly string[] {
  return [...new Set(repeated)].sort();
}
