import { limitOf, USUAL_QUEUE_LIMIT } from "../../cli/values.ts";
import { type Consumed, consumedBy, listsOf, queuesOf } from "../../celery/queues.ts";
import { transportsTold } from "../../celery/transport-options.ts";
import { type Consumption, consumptionOf, queuesToMeasure } from "../consumption.ts";
import { type BindingSearch, boundBy, declaredQueues, lostBindings } from "../../session/declared-queues.ts";
import { isHeardTwice, loadOf, paceOf } from "../../session/heartbeats.ts";
import { otherPlaces } from "../../session/other-places.ts";
import {
  growthOf,
  isLeftAlone,
  lengthIn,
  type Look,
  measure,
  type QueueKeys,
} from "../../session/queue-lengths.ts";
import type { Finding } from "../finding.ts";
import { finding } from "../levels.ts";
import { similarTo } from "../../slips.ts";
import { standstills } from "../standstill.ts";
import { type Scene, type Topic, unanswered } from "../scene.ts";

/** The number of queues without a problem that get a line of their own. */
const SHOWN = 20;

/** Limits of the search for bindings: in milliseconds, and as a share of the time left. */
const SEARCH_MS = 2_000;
const SEARCH_SHARE = 0.25;

/** How long the queues are, whether each is consumed, and whether the workers keep up. */
export const queues: Topic = async (scene) => {
  if (!scene.session.ok) return [];
  const { send } = scene.session.value;
  const { prefix } = scene.session.value.plan.naming;
  const told = await scene.told("active_queues");
  const byNode = consumedBy(told);
  const measured = queuesToMeasure(scene, byNode);
  const lists = listsOf(transportsTold(await scene.told("conf"), await scene.told("stats")));
  const keys = { prefix, lists };
  const first = await measure(scene.host, send, measured, keys);
  const end = scene.host.now() + Math.min(SEARCH_MS, scene.deadline.left() * SEARCH_SHARE);
  const declared = await declaredQueues(send, keys, () => scene.host.now() < end);
  // With `--node`, other workers' queues do not matter.
  const isOne = scene.config.node.value.length > 0;
  const others = isOne ? [] : declared.queues.filter((queue) => !measured.includes(queue));
  const firstOthers = await measure(scene.host, send, others, keys);
  const consumption = await consumptionOf(scene);
  await scene.observed();
  const after = await measure(scene.host, send, [...measured, ...others], keys);
  if (first === null || firstOthers === null || after === null) {
    const facts = { kind: "untold", queues: measured, because: unanswered(scene.deadline) } as const;
    return [finding("queue-length", null, facts)];
  }
  const before: Look = { ...first, lengths: new Map([...first.lengths, ...firstOthers.lengths]) };
  // If no worker says what it consumes, other queues with messages would not be noticed.
  const left = byNode.size > 0 ? [] : others.filter((queue) => (after.lengths.get(queue) ?? 0) > 0);
  const used = new Set([...byNode.values(), declared.queues].flat());
  const isMeant = new Set(queuesOf(byNode, scene.isMeant));
  const bound = [...told].flatMap(([node, answer]) => (scene.isMeant(node) ? boundBy(answer) : []));
  return [
    ...lengthFindings(scene, [...measured, ...left], used, before, after),
    ...consumedFindings(scene, consumption, isOne ? null : declared.search, before, after),
    ...(await standstills(scene, consumption, before, after)).filter(({ about }) => isMeant.has(about ?? "")),
    ...(await lostBindings(send, keys, bound)).map((one) => finding("queue-binding", one.queue, one)),
    ...(await elsewhere(scene, byNode, keys, declared.prefixes, [first, after])),
    await throughput(scene, byNode, first, after),
  ];
};

/** Searches other databases and prefixes if no message comes here. Messages of other applications do not matter. */
async function elsewhere(
  scene: Scene,
  byNode: Consumed,
  keys: QueueKeys,
  prefixes: readonly string[],
  looks: readonly Look[],
): Promise<readonly Finding[]> {
  const names = queuesOf(byNode, scene.isMeant);
  const isIdle = looks.every((look) => lengthIn(look, names) === 0) && !paceOf(scene.spans())?.begun;
  if (!scene.session.ok || names.length === 0 || !isIdle) return [];
  const { read, send, plan } = scene.session.value;
  const waitMs = () => scene.deadline.atMost(plan.connectTimeout);
  const here = { ...keys, target: read.target, send, waitMs, controlExchange: plan.naming.controlExchange };
  const own = { db: read.target.db, prefix: keys.prefix };
  const found = await otherPlaces(scene.host, names, here, prefixes);
  return found.map((place) => finding("elsewhere", place.queue, { ...place, own }));
}

function lengthFindings(
  { config }: Scene,
  names: readonly string[],
  used: ReadonlySet<string>,
  before: Look,
  after: Look,
): readonly Finding[] {
  const limits = config["max-queue-length"].value;
  const told = names
    .flatMap((queue) => {
      const length = after.lengths.get(queue) ?? before.lengths.get(queue) ?? null;
      return length === null ? [] : [{ queue, length, limit: limitOf(queue, limits) ?? USUAL_QUEUE_LIMIT }];
    })
    .sort((a, b) => b.length - a.length);
  const isLong = ({ length, limit }: (typeof told)[number]) => length > limit;
  const fine = told.filter((one) => !isLong(one));
  const rest = fine.slice(SHOWN);
  const untold = names.filter(
    (queue) => !after.noLists.has(queue) && !told.some((one) => one.queue === queue),
  );
  return [
    // Its worker may have ended because of this key, so queues without a consumer are included.
    ...[...after.noLists].sort().map((queue) => finding("queue-length", queue, { kind: "no-list" })),
    ...[...told.filter(isLong), ...fine.slice(0, SHOWN)].map(({ queue, length, limit }) => {
      const growth = growthOf([queue], before, after);
      return finding("queue-length", queue, { kind: "told", length, limit, isUsed: used.has(queue), growth });
    }),
    ...whereAny(rest, () =>
      finding("queue-length", null, {
        kind: "more",
        queues: rest.length,
        messages: rest.reduce((sum, { length }) => sum + length, 0),
        isUsed: rest.every(({ queue }) => used.has(queue)),
      }),
    ),
    ...whereAny(untold, () =>
      finding("queue-length", null, { kind: "untold", queues: untold, because: "LLEN is refused" }),
    ),
  ];
}

function whereAny(list: readonly unknown[], found: () => Finding): readonly Finding[] {
  return list.length === 0 ? [] : [found()];
}

function consumedFindings(
  { isMeant }: Scene,
  { byNode, silent }: Consumption,
  search: BindingSearch | null,
  before: Look,
  after: Look,
): readonly Finding[] {
  if (byNode.size === 0) return [finding("queues-consumed", null, { kind: "nobody-says" })];
  const consumed = new Set([...byNode.values()].flat());
  const others = [...after.lengths].filter(([queue]) => !consumed.has(queue));
  const alone = others.filter(([queue]) => isLeftAlone(queue, before, after));
  const waiting = alone.map(([queue]) => queue);
  const idle = [...byNode].filter(([node, own]) => own.length === 0 && isMeant(node));
  const found = [
    // A worker whose consumers were cancelled can be told to consume the other queues again.
    ...idle.map(([node]) => finding("queues-consumed", node, { kind: "idle", waiting })),
    ...alone.map(([queue, length]) => {
      const facts = { length: length ?? 0, similar: similarTo(queue, [...consumed]), silent };
      return finding("queues-consumed", queue, { kind: "unconsumed", ...facts, nodes: [...byNode.keys()] });
    }),
  ];
  if (found.length > 0) return found;
  const unmeasured = others.filter(([, length]) => length === null).length;
  const queues = queuesOf(byNode, isMeant).length;
  return [finding("queues-consumed", null, { kind: "all", queues, search, unmeasured })];
}

async function throughput(scene: Scene, byNode: Consumed, first: Look, second: Look): Promise<Finding> {
  const names = queuesOf(byNode, scene.isMeant);
  // Other workers that share these queues count too.
  const nodes = [...byNode].filter(
    ([node, own]) => scene.isMeant(node) || own.some((queue) => names.includes(queue)),
  );
  const consumers = new Set(nodes.map(([node]) => node));
  const spans = new Map([...scene.spans()].filter(([node]) => consumers.has(node)));
  const missing = nodes.filter(([node]) => !isHeardTwice(spans.get(node))).length;
  const pace = paceOf(spans);
  if (pace === null || missing > 0) {
    return finding("throughput", null, { kind: "unheard", missing, nodes: nodes.length });
  }
  const growth = growthOf(names, first, second);
  if (growth === null || names.length === 0) {
    return finding("throughput", null, { kind: "unmeasured", queues: names.length });
  }
  const stats = await scene.told("stats");
  const busy = { active: 0, slots: 0 };
  for (const [node, span] of spans) {
    const load = loadOf(span, stats.get(node));
    busy.active += load?.active ?? 0;
    busy.slots += load?.slots ?? 0;
  }
  return finding("throughput", null, {
    kind: "measured",
    growth,
    length: lengthIn(second, names),
    lengthBefore: lengthIn(first, names),
    busy: busy.slots === 0 ? null : busy,
    arrived: Math.max(0, growth + pace.begun),
    finished: pace.finished,
    overS: pace.overS,
  });
}
