import { listsOf, nodesOf, queuesOf } from "../../celery/queues.ts";
import { scheduledTasks } from "../../celery/beat.ts";
import { poolRunning } from "../../celery/pool.ts";
import { type InHand, isBuiltIn, knownBy, whoKnows } from "../../celery/tasks.ts";
import { enforces, timeLimits } from "../../celery/time-limits.ts";
import { transportOptions, transportsTold } from "../../celery/transport-options.ts";
import { describesSafely } from "../../celery/versions.ts";
import { type Consumption, consumptionOf } from "../consumption.ts";
import type { UnaskedNode } from "../facts/tasks.ts";
import type { Finding } from "../finding.ts";
import { lateFinding, prefetchFindings, repeatFindings } from "../delivery-findings.ts";
import { finding } from "../levels.ts";
import { twoLooks } from "../deliveries.ts";
import { type Head, headsOf, unreadLists } from "../../session/queue-heads.ts";
import { type Scene, type Topic, unanswered } from "../scene.ts";
import { setups } from "../workers-known.ts";

/** The number of nodes that get a line of their own. */
const SHOWN = 20;

/** The number of tasks over their limit that get a line of their own. */
const NAMED = 10;

/** In seconds. For younger tasks the limits are not looked up. */
const YOUNG_S = 5;

/** The number of queues whose next message is read. */
const QUEUES = 200;

/** The running tasks, and the messages that come next. */
export const tasks: Topic = async (scene) => {
  if (!scene.session.ok) return [];
  const inHand = await scene.inHand();
  const [nodes, versions] = [await scene.nodes(), await scene.versions()];
  const unasked = nodes
    .filter((node) => !inHand.has(node))
    .map((node): UnaskedNode => {
      const version = versions.get(node) ?? null;
      return { node, version, isOlder: version !== null && !describesSafely(version) };
    });
  // Another finding tells about these.
  const tooLarge = new Set(
    scene.overBound().flatMap(({ node, method }) => (method === "active" ? [node] : [])),
  );
  const consumption = await consumptionOf(scene);
  const stuck = scene.workers.filter(({ node }) => !inHand.has(node)).length;
  const meant = new Map([...inHand].filter(([node]) => scene.isMeant(node)));
  const silent = unasked.filter(({ node }) => scene.isMeant(node));
  const looks = await twoLooks(scene);
  return [
    ...tasksFindings(
      meant,
      silent.filter(({ node }) => !tooLarge.has(node)),
    ),
    ...(await ageFindings(scene, meant, silent.length)),
    ...(await headFindings(scene, consumption)),
    ...(await scheduledFindings(scene, consumption)),
    ...(await repeatFindings(scene, looks, meant)),
    ...(await prefetchFindings(scene, looks, consumption, inHand)),
    await lateFinding(scene, looks, inHand, Math.max(unasked.length, stuck, await scene.silent())),
  ];
};

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
  const mostS = maxMs === null ? null : maxMs / 1_000;
  const grown = [...inHand]
    .flatMap(([node, all]) => all.map((task) => ({ node, task })))
    .filter(({ task }) => task.ageS > Math.min(YOUNG_S, mostS ?? Infinity))
    .sort((a, b) => b.task.ageS - a.task.ageS);
  if (grown.length === 0) return [finding("task-age", null, { kind: "fine", unjudged: 0, silent })];
  const [setup, registered] = [await setups(scene), knownBy(await scene.told("registered"))];
  const known = (node: string) => [setup(node), registered.get(node)] as const;
  const byNode = new Map([...new Set(grown.map(({ node }) => node))].map((node) => [node, known(node)]));
  let unjudged = 0;
  const found = grown.flatMap(({ node, task }): readonly Finding[] => {
    // A task's own limit replaces its worker's. If it is not known, the task is not judged.
    const [worker, own] = byNode.get(node) ?? known(node);
    const pool = poolRunning(worker.pool, worker);
    const ownS = own?.get(task.name)?.limitS ?? null;
    const one = finding("task-age", node, {
      ...{ kind: "running", task, mostS, lax: enforces(pool, "hard") ? null : pool },
      hardS: own === undefined ? null : (ownS ?? timeLimits(worker).hard.seconds),
      isOwn: ownS !== null && ownS !== worker.settings?.get("task_time_limit"),
    });
    if (own === undefined && one.level === "ok") unjudged++;
    return one.level === "ok" ? [] : [one];
  });
  if (found.length > 0) return found.slice(0, NAMED);
  return [finding("task-age", null, { kind: "fine", unjudged, silent })];
}

/** Reads the next messages: whether workers know their tasks, and whether workers read their lists. */
async function headFindings(scene: Scene, consumption: Consumption): Promise<readonly Finding[]> {
  const { byNode } = consumption;
  const notSeen = (because: string) => [finding("unregistered-task", null, { kind: "not-seen", because })];
  if (byNode.size === 0 || !scene.session.ok) return notSeen("no worker says what it consumes");
  const names = queuesOf(byNode, scene.isMeant).slice(0, QUEUES);
  const [conf, stats] = [await scene.told("conf"), await scene.told("stats")];
  const keys = { prefix: scene.check.plan.naming.prefix, lists: listsOf(transportsTold(conf, stats)) };
  const heads = await headsOf(scene.session.value.send, names, keys);
  if (heads === "unanswered") return notSeen(unanswered(scene.deadline));
  if (heads === "sizes-refused") {
    return notSeen("MEMORY USAGE is refused, so that a message's size cannot be known before it is read");
  }
  const { seen, unread } = heads;
  const consumed = new Set([...byNode.values()].flat());
  const found = await unknownTasks(scene, seen, consumption);
  return [
    ...(found.length > 0
      ? found
      : [finding("unregistered-task", null, { kind: "known", looked: seen.length, unread })]),
    ...names.flatMap((queue): readonly Finding[] => {
      const consumers = nodesOf(consumption.byNode, queue);
      const read = consumers.flatMap((node) => transportOptions(conf.get(node), stats.get(node)) ?? []);
      // If a consumer does not tell its options, it is not known which lists it reads.
      if (read.length < consumers.length) return [];
      const lists = unreadLists(queue, seen, keys.prefix, read, consumed);
      if (lists.length === 0) return [];
      return [finding("priority-lists", queue, { lists, read, silent: consumption.silent })];
    }),
  ];
}

async function unknownTasks(
  scene: Scene,
  seen: readonly Head[],
  consumption: Consumption,
): Promise<readonly Finding[]> {
  const distinct = new Map(seen.map((head) => [`${head.queue}\0${head.task}`, head]));
  const foreign = [...distinct.values()].filter(({ task }) => !isBuiltIn(task));
  const known = knownBy(foreign.length === 0 ? new Map() : await scene.told("registered"));
  return foreign.flatMap(({ queue, task }): readonly Finding[] => {
    const consumers = nodesOf(consumption.byNode, queue);
    const { knowing, ignorant } = whoKnows(task, known, consumers);
    if (ignorant.length === 0) return [];
    const silent = consumers.length - knowing.length - ignorant.length + consumption.silent;
    return [finding("unregistered-task", queue, { kind: "unknown", task, knowing, ignorant, silent })];
  });
}

/** The tasks in `beat_schedule` that no worker knows. */
async function scheduledFindings(scene: Scene, { byNode, silent }: Consumption): Promise<readonly Finding[]> {
  const told = await scene.told("registered");
  if (told.size === 0) return [];
  const known = new Set([...knownBy(told).values()].flatMap((tasks) => [...tasks.keys()]));
  const wanted = [...scheduledTasks((await scene.told("conf")).values())];
  const missing = wanted.filter(([, task]) => !isBuiltIn(task) && !known.has(task)).slice(0, NAMED);
  const unsaid = silent + Math.max(0, byNode.size - told.size);
  return missing.map(([entry, task]) =>
    finding("unregistered-task", null, { kind: "scheduled", entry, task, silent: unsaid }),
  );
}
