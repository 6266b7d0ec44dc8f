import { bindingsOf, type Route } from "../broker/keys.ts";
import type { Deadline } from "../deadline.ts";
import type { Host } from "../host.ts";
import type { Mailbox } from "../pidbox/mailbox.ts";
import type { OverBound, Question } from "../pidbox/message.ts";
import { hasAnswered, NO_REPLIES, query, type Replies } from "../pidbox/query.ts";
import { HEARD_WITHIN_MS } from "../celery/heartbeat.ts";
import { askLengths, DEFAULT_QUEUE, listsOf, type PriorityLists, queueNames } from "../celery/queues.ts";
import { ageS, readTasks } from "../celery/tasks.ts";
import { transportsTold } from "../celery/transport-options.ts";
import { describesSafely } from "../celery/versions.ts";
import type { Evidence } from "./evidence.ts";
import type { Examination } from "./examination.ts";
import type { Line } from "./examine.ts";
import { lookForHeld, PAUSE_MS } from "./gather-held.ts";
import type { Lines } from "../session/lines.ts";
import type { CheckPlan } from "./plan.ts";
import { requestMessage } from "./request.ts";
import type { Held, NodeWork, Tasks, WorkEvidence } from "./work-evidence.ts";
import { queuesOf } from "../celery/worker-settings.ts";

/** An open conversation with the broker. */
export interface Conversation extends Lines {
  readonly mailbox: Mailbox;
  readonly routes: readonly [Route, ...Route[]];
}

/** What each step needs: the nodes to ask, and the way to them. */
interface Gathering {
  readonly plan: CheckPlan;
  readonly host: Host;
  readonly deadline: Deadline;
  readonly read: Lines["read"];
  readonly mailbox: Mailbox;
  readonly line: Line;
  /** The channel and the reply list that they answered through. */
  readonly route: Route;
  readonly examination: Examination;
  /** Nodes that have answered a ping. */
  readonly answering: ReadonlySet<string>;
  /** The targets among these nodes. */
  readonly asked: readonly string[];
  /** For each target, the queues that its process was told to consume; null: it was told none. */
  readonly told: readonly (readonly string[] | null)[];
}

/**
 * Asks the questions that the options about queues and tasks need, after a healthy verdict. Answers that cannot be had
 * are left out.
 */
export async function gatherWork(
  plan: CheckPlan,
  host: Host,
  deadline: Deadline,
  conversation: Conversation,
  evidence: Evidence,
  examination: Examination,
): Promise<WorkEvidence> {
  const gathering = startGathering(plan, host, deadline, conversation, evidence, examination);
  const { told, asked } = gathering;
  const { requireConsuming, maxTaskAge, maxQueueLength, queues: given } = plan.rules.work;
  const isUntold =
    given.length === 0 && told.includes(null) && maxQueueLength.some(({ queue }) => queue === null);
  const consumed =
    requireConsuming || isUntold ? await ask(gathering, { method: "active_queues" }, asked) : NO_REPLIES;
  const tasks = maxTaskAge === null ? new Map<string, Tasks>() : await askTasks(gathering);
  const nodes = nodesOf(gathering, consumed, tasks);
  const everywhere =
    nodes.length > 0 ? nodes.flatMap(({ queues }) => queues) : given.length > 0 ? given : [DEFAULT_QUEUE];
  const limited = maxQueueLength.flatMap(({ queue }) => (queue === null ? everywhere : [queue]));
  const measured = [...new Set([...limited, ...(requireConsuming ? everywhere : [])])];
  const lengths = await measure(gathering, measured, await listsRead(gathering));
  const isWaiting = [...lengths.values()].some((length) => length !== 0);
  const held = requireConsuming && isWaiting ? await look(gathering) : new Map<string, Held>();
  const named = maxQueueLength.flatMap(({ queue }) => queue ?? []);
  const empty = [...new Set(named)].filter((queue) => lengths.get(queue) === 0);
  return {
    lengths,
    nodes: nodes.map((one): NodeWork => ({ ...one, held: held.get(one.node) ?? null })),
    ownerless: await withoutOwner(gathering, empty, consumed),
  };
}

function startGathering(
  plan: CheckPlan,
  host: Host,
  deadline: Deadline,
  { read, write, mailbox, routes }: Conversation,
  { asking }: Evidence,
  examination: Examination,
): Gathering {
  const answering = new Set(asking.kind === "asked" ? asking.pongs.map(({ node }) => node) : []);
  return {
    plan,
    host,
    deadline,
    read,
    mailbox,
    line: { channel: read.channel, heartbeats: write.target },
    route:
      routes.find(({ channel }) => asking.kind === "asked" && channel === asking.via.channel) ?? routes[0],
    examination,
    answering,
    asked: plan.targets.map(({ node }) => node).filter((node) => answering.has(node)),
    told: plan.targets.map(({ worker }) => (worker === null ? null : queuesOf(worker, host.env))),
  };
}

async function ask(
  { plan, host, deadline, mailbox, route }: Gathering,
  question: Question,
  nodes: readonly string[],
): Promise<Replies> {
  if (nodes.length === 0) return NO_REPLIES;
  const ticket = host.uuid();
  const message = requestMessage(plan, host, question, ticket, nodes);
  const isEnough = (replies: Replies) => nodes.every((node) => hasAnswered(replies, node));
  const manner = { isEnough, waitMs: deadline.atMost(plan.timeout) };
  const replies = await query(mailbox, { route, message, ticket }, manner);
  return replies.ok ? replies.value : NO_REPLIES;
}

function nodesOf(
  { plan, told }: Gathering,
  consumed: Replies,
  tasks: ReadonlyMap<string, Tasks>,
): readonly Omit<NodeWork, "held">[] {
  const given = plan.rules.work.queues;
  return plan.targets.map(({ node }, position) => {
    const said = queueNames(consumed.results.get(node));
    const queues = given.length > 0 ? given : (told[position] ?? said ?? [DEFAULT_QUEUE]);
    return {
      node,
      queues: queues.length === 0 ? [DEFAULT_QUEUE] : queues,
      consumed: said,
      consumedOverBound: overBoundOf(consumed, node),
      tasks: tasks.get(node) ?? { kind: "not-asked" },
    };
  });
}

async function askTasks(gathering: Gathering): Promise<ReadonlyMap<string, Tasks>> {
  const versions = await versionsHeard(gathering);
  const tasks = new Map<string, Tasks>(
    versions.map(([node, version]) => [node, { kind: "risky", version }] as const),
  );
  const safe = versions.flatMap(([node, version]) => (describesSafely(version) ? [node] : []));
  const replies = await ask(gathering, { method: "active" }, safe);
  for (const node of safe) {
    const overBound = overBoundOf(replies, node);
    const told = tasksIn(replies.results.get(node), gathering.host.epochSeconds());
    tasks.set(node, overBound === null ? told : { kind: "over-bound", ...overBound });
  }
  return tasks;
}

/** The Celery version of each asked node, from its heartbeats; null: no heartbeat was heard in time. */
async function versionsHeard({
  host,
  deadline,
  examination,
  line,
  asked,
}: Gathering): Promise<readonly (readonly [node: string, version: string | null])[]> {
  await examination.begin(line);
  const versionOf = (node: string): string | null => {
    const hearing = examination.nodes().find((one) => one.node === node)?.heartbeats;
    return hearing?.kind === "listened" ? (hearing.own?.version ?? null) : null;
  };
  const end = host.now() + deadline.atMost(HEARD_WITHIN_MS);
  while (asked.some((node) => versionOf(node) === null) && host.now() < end) await host.pause(PAUSE_MS);
  return asked.map((node) => [node, versionOf(node)] as const);
}

/** The lists that a queue has for its priorities. An application may change them. */
async function listsRead(gathering: Gathering): Promise<PriorityLists> {
  if (gathering.plan.rules.work.maxQueueLength.length === 0) return listsOf();
  const conf = await ask(gathering, { method: "conf", withDefaults: false }, gathering.asked);
  return listsOf(transportsTold(conf.results));
}

async function measure(
  { plan, deadline, read }: Gathering,
  queues: readonly string[],
  lists: PriorityLists,
): Promise<ReadonlyMap<string, number | null>> {
  if (queues.length === 0) return new Map();
  const question = askLengths(queues, plan.naming.prefix, lists);
  const sent = await read.channel.send(question.commands, deadline.atMost(plan.connectTimeout));
  const lengths = question.read(sent.ok ? sent.value : []);
  return new Map(queues.map((queue) => [queue, lengths.get(queue)?.messages ?? null]));
}

/** The queues that are not bound to an exchange of the same name and that no asked worker consumes. */
async function withoutOwner(
  gathering: Gathering,
  queues: readonly string[],
  consumed: Replies,
): Promise<readonly string[]> {
  const { plan, deadline, read, told, asked } = gathering;
  const untold = queues.filter((queue) => !told.some((names) => names?.includes(queue)));
  if (untold.length === 0) return [];
  const sent = await read.channel.send(
    // Celery binds a queue to an exchange of the same name, unless another exchange is configured.
    untold.map((queue) => ["SCARD", bindingsOf(queue, plan.naming.prefix)]),
    deadline.atMost(plan.connectTimeout),
  );
  const unbound = untold.filter((_, position) => {
    const reply = sent.ok ? sent.value[position] : undefined;
    return reply?.ok === true && reply.value === 0;
  });
  if (unbound.length === 0) return [];
  const said = consumed === NO_REPLIES ? await ask(gathering, { method: "active_queues" }, asked) : consumed;
  const used = [...said.results.values()].flatMap((result) => queueNames(result) ?? []);
  return unbound.filter((queue) => !used.includes(queue));
}

/** Looks whether they fetch. Asks the other ones what they may hold back. */
function look(gathering: Gathering): Promise<ReadonlyMap<string, Held>> {
  const { plan, host, deadline, read, examination, line, answering } = gathering;
  return lookForHeld({
    host,
    deadline,
    examination,
    line,
    askOf: (node) =>
      answering.has(node)
        ? async (question) => (await ask(gathering, question, [node])).results.get(node)
        : null,
    send: (commands) => read.channel.send(commands, deadline.atMost(plan.connectTimeout)),
    prefix: plan.naming.prefix,
  });
}

function overBoundOf({ overBound }: Replies, node: string): OverBound | null {
  return overBound.find((one) => one.node === node) ?? null;
}

function tasksIn(result: unknown, nowS: number): Tasks {
  const tasks = readTasks(result);
  if (tasks === null) return { kind: "no-answer" };
  const oldest = tasks.find(({ startS }) => startS !== null);
  return {
    kind: "told",
    count: tasks.length,
    oldest: oldest === undefined ? null : { name: oldest.name, id: oldest.id, ageS: ageS(oldest, nowS) },
  };
}
