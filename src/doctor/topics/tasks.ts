import { asNumber } from "../../numbers.ts";
import { isBeat } from "../../celery/node-name.ts";
import { listsOf } from "../../celery/queues.ts";
import { poolRunning } from "../../celery/pool.ts";
import { type AgedTask, agedTasks, isBuiltIn, readRegistered, registeredNames } from "../../celery/tasks.ts";
import { enforces, timeLimits } from "../../celery/time-limits.ts";
import { soonest, transportsTold } from "../../celery/transport-options.ts";
import { describesSafely } from "../../celery/versions.ts";
import { type Consumption, consumptionOf, queuesOf } from "../consumption.ts";
import type { UnaskedNode } from "../facts/tasks.ts";
import type { Finding } from "../finding.ts";
import { finding } from "../levels.ts";
import { judgeUnacked } from "../judge-tasks.ts";
import { headsOf } from "../../session/queue-heads.ts";
import type { Send } from "../../session/scan.ts";
import { type Scene, type Topic, unanswered } from "../scene.ts";
import { pairsOf, readMessages } from "../../session/unacked.ts";
import { setups } from "../workers-known.ts";

/** Nodes that get a line of their own. */
const SHOWN = 20;

/** Tasks over their limit that are named. */
const NAMED = 10;

/** The limits of tasks younger than this, in seconds, are not asked after. */
const YOUNG_S = 5;

/** Nodes whose tasks' own limits are asked for: those with the oldest tasks. */
const ASKED = 20;

/** Queues whose next message is looked at. */
const QUEUES = 200;

/** Messages looked at of those that are not acknowledged, at either end. */
const UNACKED = 100;

/** What the workers have in hand, and what comes next. */
export const tasks: Topic = async (scene) => {
  if (!scene.session.ok) return [];
  const { send } = scene.session.value;
  const told = await scene.told("active");
  const nowS = scene.host.epochSeconds();
  const inHand = new Map(
    [...told].flatMap(([node, answer]) => {
      const found = agedTasks(answer, nowS);
      return found === null ? [] : [[node, found] as const];
    }),
  );
  const nodes = (await scene.nodes()).filter((node) => !isBeat(node));
  const versions = await scene.versions();
  const unasked = nodes
    .filter((node) => !inHand.has(node))
    .map((node): UnaskedNode => {
      const version = versions.get(node) ?? null;
      return { node, version, isOlder: version !== null && !describesSafely(version) };
    });
  // Of these another finding tells.
  const tooLarge = new Set(
    scene.overBound().flatMap(({ node, method }) => (method === "active" ? [node] : [])),
  );
  const consumption = await consumptionOf(scene);
  const meant = new Map([...inHand].filter(([node]) => scene.isMeant(node)));
  const silent = unasked.filter(({ node }) => scene.isMeant(node));
  return [
    ...tasksFindings(
      meant,
      silent.filter(({ node }) => !tooLarge.has(node)),
    ),
    ...(await ageFindings(scene, meant, silent.length)),
    ...(await registeredFindings(scene, send, consumption)),
    await lateFinding(scene, send, inHand, unasked.length),
  ];
};

type InHand = ReadonlyMap<string, readonly AgedTask[]>;

function tasksFindings(inHand: InHand, unasked: readonly UnaskedNode[]): readonly Finding[] {
  const byAge = [...inHand].sort(([, [a]], [, [b]]) => (b?.ageS ?? -1) - (a?.ageS ?? -1));
  const rest = byAge.slice(SHOWN);
  const count = rest.reduce((sum, [, found]) => sum + found.length, 0);
  const found: Finding[] = byAge.slice(0, SHOWN).map(([node, [oldest, ...others]]) =>
    finding("tasks", node, {
      kind: "told",
      count: (oldest === undefined ? 0 : 1) + others.length,
      oldest: oldest ?? null,
    }),
  );
  if (rest.length > 0) found.push(finding("tasks", null, { kind: "more", nodes: rest.length, count }));
  if (unasked.length > 0) found.push(finding("tasks", null, { kind: "not-asked", nodes: unasked }));
  return found.length > 0 ? found : [finding("tasks", null, { kind: "nobody" })];
}

async function ageFindings(scene: Scene, inHand: InHand, silent: number): Promise<readonly Finding[]> {
  if (inHand.size === 0) return [finding("task-age", null, { kind: "nobody-says" })];
  const maxMs = scene.config["max-task-age"].value;
  const youngS = Math.min(YOUNG_S, (maxMs ?? Infinity) / 1_000);
  const grown = [...inHand]
    .map(([node, all]) => [node, all.filter(({ ageS }) => ageS > youngS)] as const)
    .filter(([, all]) => all.length > 0)
    .sort(([, [a]], [, [b]]) => (b?.ageS ?? 0) - (a?.ageS ?? 0));
  const workers = grown.length === 0 ? null : await setups(scene);
  const own = await ownLimits(
    scene,
    grown.slice(0, ASKED).map(([node]) => node),
  );
  const found: Finding[] = [];
  let unjudged = 0;
  for (const [node, all] of grown) {
    const worker = workers?.of(node);
    if (worker === undefined) continue;
    const workerS = timeLimits(worker).hard.seconds;
    const settingS = worker.settings?.get("task_time_limit");
    const pool = poolRunning(worker.pool, worker);
    const lax = enforces(pool, "hard") ? null : pool;
    // A task's own limit stands in place of the worker's; where it is not known, nobody is accused.
    const limits = own.get(node);
    for (const task of all) {
      const ownS = limits?.get(task.name) ?? null;
      const one = finding("task-age", node, {
        ...{ kind: "running", task, lax },
        hardS: limits === undefined ? null : (ownS ?? workerS),
        isOwn: ownS !== null && ownS !== settingS,
        mostS: maxMs === null ? null : maxMs / 1_000,
      });
      if (one.level !== "ok") found.push(one);
      else if (limits === undefined) unjudged++;
    }
  }
  if (found.length > 0) return found.slice(0, NAMED);
  return [finding("task-age", null, { kind: "fine", unjudged, silent })];
}

/** Of each node the time limits of its tasks that have one of their own. */
async function ownLimits(
  { session, config }: Scene,
  nodes: readonly string[],
): Promise<ReadonlyMap<string, ReadonlyMap<string, number>>> {
  if (!session.ok || nodes.length === 0) return new Map();
  const question = { method: "registered", taskInfo: ["time_limit"], builtins: false } as const;
  const asked = await session.value.ask(question, nodes, config.timeout.value);
  if (!asked.ok) return new Map();
  return new Map(
    [...asked.value.results].flatMap(([node, answer]) => {
      if (!Array.isArray(answer)) return [];
      const limits = answer.flatMap((entry: unknown) => {
        const read = readRegistered(entry);
        return read === null || read.limitS === null ? [] : [[read.name, read.limitS] as const];
      });
      return [[node, new Map(limits)] as const];
    }),
  );
}

async function registeredFindings(
  scene: Scene,
  send: Send,
  { byNode, silent }: Consumption,
): Promise<readonly Finding[]> {
  if (byNode.size === 0) {
    const because = "no worker says what it consumes";
    return [finding("unregistered-task", null, { kind: "not-seen", because })];
  }
  const names = queuesOf(byNode, scene.isMeant).slice(0, QUEUES);
  const lists = listsOf(transportsTold(await scene.told("conf"), await scene.told("stats")));
  const heads = await headsOf(send, names, { prefix: scene.check.plan.naming.prefix, lists });
  if (typeof heads === "string") {
    const because =
      heads === "unanswered"
        ? unanswered(scene.deadline)
        : "MEMORY USAGE is refused, so that a message's size cannot be known before it is read";
    return [finding("unregistered-task", null, { kind: "not-seen", because })];
  }
  const foreign = heads.seen.filter(({ task }) => !isBuiltIn(task));
  const registered = foreign.length === 0 ? new Map<string, unknown>() : await scene.told("registered");
  const found = foreign.flatMap(({ queue, task }): readonly Finding[] => {
    const consumers = [...byNode].filter(([, own]) => own.includes(queue)).map(([node]) => node);
    const knows = (node: string) => registeredNames(registered.get(node))?.has(task) ?? null;
    const knowing = consumers.filter((node) => knows(node) === true);
    const ignorant = consumers.filter((node) => knows(node) === false);
    if (ignorant.length === 0) return [];
    const unsaid = consumers.filter((node) => knows(node) === null).length + silent;
    const facts = { kind: "unknown", task, knowing, ignorant, silent: unsaid } as const;
    return [finding("unregistered-task", queue, facts)];
  });
  if (found.length > 0) return found;
  const { seen, unread } = heads;
  return [finding("unregistered-task", null, { kind: "known", looked: seen.length, unread })];
}

async function lateFinding(scene: Scene, send: Send, inHand: InHand, silent: number): Promise<Finding> {
  const notSeen = (because: string): Finding => finding("late-tasks", null, { kind: "not-seen", because });
  const told = transportsTold(await scene.told("conf"), await scene.told("stats"));
  const { unackedKey, unackedIndexKey, visibilityS, isDefault } = soonest(told);
  if (unackedKey === null || unackedIndexKey === null)
    return notSeen("the workers mask the names of the keys");
  const { prefix } = scene.check.plan.naming;
  const [hash, index] = [prefix + unackedKey, prefix + unackedIndexKey];
  const nowS = scene.host.epochSeconds();
  const sent = await send([
    ["ZCARD", index],
    ["ZCOUNT", index, "-inf", nowS - visibilityS - OVERDUE_MARGIN_S],
    ["ZRANGE", index, 0, UNACKED - 1, "WITHSCORES"],
    ["ZRANGE", index, -UNACKED, -1, "WITHSCORES"],
  ]);
  if (!sent.ok) return notSeen(unanswered(scene.deadline));
  const [card, old, oldest, newest] = sent.value;
  if (card?.ok !== true || old?.ok !== true || oldest?.ok !== true || newest?.ok !== true) {
    return notSeen(`${index} may not be read`);
  }
  const tags = new Map([...pairsOf(oldest.value), ...pairsOf(newest.value)]);
  const messages = await readMessages(send, hash, tags);
  if (messages === null) return notSeen(`${hash} may not be read`);
  const running = new Set([...inHand.values()].flat().map(({ id }) => id));
  const { late, beyond } = judgeUnacked(messages, running, visibilityS, nowS);
  const [latest] = late;
  const [farthest] = beyond;
  return finding("late-tasks", null, {
    kind: "seen",
    unacked: asNumber(card.value),
    looked: messages.length,
    withEta: messages.filter(({ etaS }) => etaS !== null).length,
    late: late.length,
    latest: latest?.task ?? null,
    latestS: nowS - (latest?.etaS ?? nowS),
    beyond: beyond.length,
    farthest: farthest?.task ?? null,
    farthestS: (farthest?.etaS ?? nowS) - nowS,
    overdue: asNumber(old.value),
    visibilityS,
    isDefault,
    isTold: told.length > 0,
    silent,
  });
}

/** Clocks differ, and kombu looks once in a hundred seconds (`unacked_restore_interval`). */
const OVERDUE_MARGIN_S = 60;
