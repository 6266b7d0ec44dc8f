import { bindingsOf, type Route } from "../broker/keys.ts";
import type { Deadline } from "../deadline.ts";
import type { Host } from "../host.ts";
import type { Mailbox } from "../pidbox/mailbox.ts";
import type { OverBound, Question } from "../pidbox/message.ts";
import { hasAnswered, NO_REPLIES, query, type Replies } from "../pidbox/query.ts";
import { HEARD_WITHIN_MS } from "../celery/heartbeat.ts";
import { askLengths, DEFAULT_QUEUE, listsOf, queueNames } from "../celery/queues.ts";
import { ageS, readTasks } from "../celery/tasks.ts";
import { transportsTold } from "../celery/transport-options.ts";
import { describesSafely } from "../celery/versions.ts";
import type { Evidence, NodeEvidence } from "./evidence.ts";
import type { Examination } from "./examination.ts";
import { lastConnections } from "./judge-connections.ts";
import { gatherHeld } from "./gather-held.ts";
import { isFull, pausedForS } from "./judge-work.ts";
import type { Lines } from "../session/lines.ts";
import type { CheckPlan } from "./plan.ts";
import { requestMessage } from "./request.ts";
import type { Held, NodeWork, Tasks, WorkEvidence } from "./work-evidence.ts";
import { queuesOf } from "../celery/worker-settings.ts";

/** Between two looks at what the examination has found, in milliseconds. */
const PAUSE_MS = 20;

/** An open conversation with the broker. */
export interface Conversation extends Lines {
  readonly mailbox: Mailbox;
  readonly routes: readonly [Route, ...Route[]];
}

/** Asks what the options about queues and tasks need, after a healthy verdict; what cannot be had is left out. */
export async function gatherWork(
  plan: CheckPlan,
  host: Host,
  deadline: Deadline,
  { read, write, mailbox, routes }: Conversation,
  evidence: Evidence,
  examination: Examination,
): Promise<WorkEvidence> {
  const { requireConsuming, maxTaskAge, maxQueueLength } = plan.rules.work;
  const line = { channel: read.channel, heartbeats: write.target };
  const { asking } = evidence;
  const [usual] = routes;
  // The way by which they have answered.
  const route =
    routes.find(({ channel }) => asking.kind === "asked" && channel === asking.via.channel) ?? usual;
  const answering = new Set(
    evidence.asking.kind === "asked" ? evidence.asking.pongs.map(({ node }) => node) : [],
  );
  const asked = plan.targets.filter(({ node }) => answering.has(node)).map(({ node }) => node);

  const told = plan.targets.map(({ worker }) => (worker === null ? null : queuesOf(worker, host.env)));
  const given = plan.rules.work.queues;
  const isUntold =
    given.length === 0 && told.includes(null) && maxQueueLength.some(({ queue }) => queue === null);
  const consumed = requireConsuming || isUntold ? await ask({ method: "active_queues" }, asked) : NO_REPLIES;
  const queuesFor = (position: number, node: string): readonly string[] => {
    if (given.length > 0) return given;
    return told[position] ?? queueNames(consumed.results.get(node)) ?? [DEFAULT_QUEUE];
  };

  const tasks = maxTaskAge === null ? new Map<string, Tasks>() : await askTasks(asked);
  const nodes = plan.targets.map(({ node }, position) => {
    const queues = queuesFor(position, node);
    return {
      node,
      queues: queues.length === 0 ? [DEFAULT_QUEUE] : queues,
      consumed: queueNames(consumed.results.get(node)),
      consumedOverBound: overBoundOf(consumed, node),
      tasks: tasks.get(node) ?? { kind: "not-asked" },
    };
  });
  const everywhere =
    nodes.length > 0 ? nodes.flatMap(({ queues }) => queues) : given.length > 0 ? given : [DEFAULT_QUEUE];
  const limited = maxQueueLength.flatMap(({ queue }) => (queue === null ? everywhere : [queue]));
  // Its application may have lists of its own for priorities.
  const conf =
    maxQueueLength.length === 0 ? NO_REPLIES : await ask({ method: "conf", withDefaults: false }, asked);
  const lists = listsOf(transportsTold(conf.results));
  const lengths = await measure([...new Set([...limited, ...(requireConsuming ? everywhere : [])])]);
  const isWaiting = [...lengths.values()].some((length) => length !== 0);
  const held = requireConsuming && isWaiting ? await look() : new Map<string, Held>();
  const named = maxQueueLength.flatMap(({ queue }) => queue ?? []);
  return {
    lengths,
    nodes: nodes.map((one): NodeWork => ({ ...one, held: held.get(one.node) ?? null })),
    ownerless: await withoutOwner([...new Set(named)].filter((queue) => lengths.get(queue) === 0)),
  };

  async function ask(question: Question, nodes: readonly string[]): Promise<Replies> {
    if (nodes.length === 0) return NO_REPLIES;
    const ticket = host.uuid();
    const message = requestMessage(plan, host, question, ticket, nodes);
    const asked = { route, message, ticket };
    const isEnough = (replies: Replies) => nodes.every((node) => hasAnswered(replies, node));
    const replies = await query(mailbox, asked, { isEnough, waitMs: deadline.atMost(plan.timeout) });
    return replies.ok ? replies.value : NO_REPLIES;
  }

  async function askTasks(nodes: readonly string[]): Promise<ReadonlyMap<string, Tasks>> {
    await examination.begin(line);
    const versionOf = (node: string): string | null => {
      const hearing = examination.nodes().find((one) => one.node === node)?.heartbeats;
      return hearing?.kind === "listened" ? (hearing.own?.version ?? null) : null;
    };
    const end = host.now() + deadline.atMost(HEARD_WITHIN_MS);
    while (nodes.some((node) => versionOf(node) === null) && host.now() < end) await host.pause(PAUSE_MS);
    const versions = nodes.map((node) => [node, versionOf(node)] as const);
    const tasks = new Map<string, Tasks>(
      versions.map(([node, version]) => [node, { kind: "risky", version }] as const),
    );
    const safe = versions.flatMap(([node, version]) =>
      version !== null && describesSafely(version) ? [node] : [],
    );
    const replies = await ask({ method: "active" }, safe);
    for (const node of safe) {
      const overBound = overBoundOf(replies, node);
      const told = tasksIn(replies.results.get(node), host.epochSeconds());
      tasks.set(node, overBound === null ? told : { kind: "over-bound", ...overBound });
    }
    return tasks;
  }

  async function measure(queues: readonly string[]): Promise<ReadonlyMap<string, number | null>> {
    if (queues.length === 0) return new Map();
    const question = askLengths(queues, plan.naming.prefix, lists);
    const sent = await read.channel.send(question.commands, deadline.atMost(plan.connectTimeout));
    const lengths = question.read(sent.ok ? sent.value : []);
    return new Map(queues.map((queue) => [queue, lengths.get(queue)?.messages ?? null]));
  }

  /** Those of these queues that are bound to no exchange of their name, and that no worker asked consumes. */
  async function withoutOwner(queues: readonly string[]): Promise<readonly string[]> {
    const untold = queues.filter((queue) => !told.some((names) => names?.includes(queue)));
    if (untold.length === 0) return [];
    const sent = await read.channel.send(
      // Celery binds a queue to an exchange of its name, unless it is told another.
      untold.map((queue) => ["SCARD", bindingsOf(queue, plan.naming.prefix)]),
      deadline.atMost(plan.connectTimeout),
    );
    const unbound = untold.filter((_, position) => {
      const reply = sent.ok ? sent.value[position] : undefined;
      return reply?.ok === true && reply.value === 0;
    });
    if (unbound.length === 0) return [];
    const said = consumed === NO_REPLIES ? await ask({ method: "active_queues" }, asked) : consumed;
    const used = [...said.results.values()].flatMap((result) => queueNames(result) ?? []);
    return unbound.filter((queue) => !used.includes(queue));
  }

  /**
   * Their connections show at once whether they fetch; only where they do not, their heartbeats are needed, and what
   * they may hold back.
   */
  async function look(): Promise<ReadonlyMap<string, Held>> {
    await examination.begin(line);
    const held = new Map<string, Held>();
    const end = host.now() + deadline.atMost(HEARD_WITHIN_MS);
    const isSeen = () =>
      examination.nodes().every(({ process, looks, heartbeats }) => {
        // Which process it is may be known as soon as the list of connections has come.
        if (process.kind !== "seen") return process.kind !== "none" || examination.broker().upS !== null;
        const connections = lastConnections(looks);
        if (connections === null) return false;
        const isPaused =
          connections.kind === "known" &&
          connections.rows.every(({ command, flags }) => command !== "brpop" || !flags.includes("b"));
        return !isPaused || (heartbeats.kind === "listened" && heartbeats.own !== null);
      });
    while (!isSeen() && host.now() < end) await host.pause(PAUSE_MS);
    const paused = () =>
      examination.nodes().filter((node) => pausedForS(node) !== null && isFull(node) !== true);
    if (paused().length === 0) return held;
    for (const one of paused()) {
      const { node } = one;
      held.set(
        node,
        await gatherHeld({
          ask: answering.has(node)
            ? async (question) => (await ask(question, [node])).results.get(node)
            : null,
          beats: isFull(one) !== null,
          send: (commands) => read.channel.send(commands, deadline.atMost(plan.connectTimeout)),
          prefix: plan.naming.prefix,
          nowS: host.epochSeconds(),
        }),
      );
    }
    // One heartbeat says what is in hand; from the second on, whether anything is begun.
    const isUnsure = ({ node, heartbeats }: NodeEvidence) => {
      const one = held.get(node);
      const beats = heartbeats.kind === "listened" ? heartbeats.own : null;
      return one?.kind === "told" && one.deliveries > 0 && beats?.count === 1;
    };
    while (paused().some(isUnsure) && deadline.left() > PAUSE_MS) await host.pause(PAUSE_MS);
    return held;
  }
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
