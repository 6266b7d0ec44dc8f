import { describe, expect, test } from "vitest";
import { collect, type Collector, type FleetWishes } from "../../src/fleet/collector.ts";
import { MOST_QUEUES } from "../../src/fleet/fleet-state.ts";
import { spareMemory } from "../../src/machine/spare-memory.ts";
import { planned } from "../health/planned.ts";
import { type FakeFleet, fakeFleet } from "./fake-fleet.ts";
import { GRACE_MS, NODE } from "./scenes.ts";

const LOST = { kind: "unreachable", cause: "connection-lost", detail: "ECONNRESET" } as const;
const MISCONF = { kind: "refused", cause: "cannot-write", command: "PUBLISH", detail: "MISCONF" } as const;

function collecting(fleet: FakeFleet, more: Partial<FleetWishes> = {}): Collector {
  const plan = planned(fleet.host);
  const wishes = { nodes: [], queues: [], roundEveryMs: 30_000, lookEveryMs: 2_000, graceMs: GRACE_MS };
  return collect(plan, plan.place, fleet.host, { ...wishes, ...more });
}

/** Lets time pass in which these beat. */
async function pass(
  fleet: FakeFleet,
  ms: number,
  nodes: readonly string[] = [...fleet.alive],
): Promise<void> {
  const end = fleet.host.now() + ms;
  while (fleet.host.now() < end) {
    for (const node of nodes) fleet.beat(node);
    await fleet.host.pause(2_000);
  }
}

function reasons(collector: Collector): Readonly<Record<string, string>> {
  return Object.fromEntries(collector.view().nodes.map(({ node, verdict }) => [node, verdict.reason]));
}

test("it is settled when everybody has had time to be heard and was asked", async () => {
  const fleet = fakeFleet();
  fleet.alive.add(NODE);
  const collector = collecting(fleet);
  expect(collector.view().rounds.done).toBe(0);
  await collector.settled();
  expect(fleet.host.now()).toBeGreaterThanOrEqual(2_500);
  expect(collector.view()).toMatchObject({
    rounds: { done: 1, failed: 0 },
    nodes: [{ node: NODE, slots: 4, queues: ["celery"], verdict: { reason: "alive" } }],
    queues: [{ queue: "celery", length: 0, consumers: 1, slots: 4 }],
  });
  collector.close();
});

describe("a fleet of which every node is heard", () => {
  test("is pinged at the beginning, and then every five minutes; who is new is asked for its pool once", async () => {
    const fleet = fakeFleet();
    for (const node of [NODE, "celery@web-2"]) fleet.alive.add(node);
    const collector = collecting(fleet);
    await pass(fleet, 910_000);
    const times = (method: string) =>
      fleet.asked.filter((one) => one.method === method).map(({ atMs }) => Math.round(atMs / 60_000));
    expect(times("ping")).toEqual([0, 5, 10, 15]);
    expect(times("stats")).toEqual([0]);
    expect(times("active")).toEqual([]);
    expect(fleet.lists.size).toBe(1);
    expect(collector.view().rounds.done).toBeGreaterThan(25);
    collector.close();
  });

  test.each([2, 250])(
    "of %i busy nodes hears 15 messages at most in 140 s about their tasks",
    async (size) => {
      const fleet = fakeFleet();
      const nodes = Array.from({ length: size }, (_, number) => `celery@web-${number}`);
      for (const node of nodes) fleet.alive.add(node);
      const collector = collecting(fleet);
      for (let second = 0; second < 140; second += 2) {
        for (const node of nodes) fleet.beat(node, { active: 1, sw_ver: "5.7.0" });
        await fleet.host.pause(2_000);
      }
      const asked = fleet.asked.filter(({ method }) => method === "active");
      expect(asked.length).toBeGreaterThanOrEqual(3);
      expect(asked.length).toBeLessThanOrEqual(15);
      collector.close();
    },
  );

  test("is pinged within seconds when one falls silent, to learn whether that is gone", async () => {
    const fleet = fakeFleet();
    for (const node of [NODE, "celery@web-2"]) fleet.alive.add(node);
    const collector = collecting(fleet);
    await pass(fleet, 60_000);
    fleet.alive.delete("celery@web-2");
    await pass(fleet, 12_000);
    expect(reasons(collector)).toEqual({ "celery@web-2": "gone", [NODE]: "alive" });
    fleet.alive.delete(NODE);
    await pass(fleet, 16_000);
    expect(reasons(collector)).toEqual({ "celery@web-2": "gone", [NODE]: "gone" });
    collector.close();
  });
});

test("subscribers without a name are counted anew at each round, until all have told theirs", async () => {
  const fleet = fakeFleet();
  fleet.alive.add(NODE);
  fleet.blocked.add("celery@blocked");
  const collector = collecting(fleet);
  await pass(fleet, 40_000);
  expect(collector.view().nameless).toBe(1);
  fleet.blocked.clear();
  fleet.alive.add("celery@blocked");
  await pass(fleet, 34_000);
  expect(collector.view().nameless).toBe(0);
  fleet.asked.length = 0;
  await pass(fleet, 120_000);
  expect(fleet.asked.filter(({ method }) => method === "ping")).toEqual([]);
  collector.close();
});

describe("a queue that nobody has ever consumed", () => {
  test("is known within a round, where the database is small", async () => {
    const fleet = fakeFleet();
    fleet.alive.add(NODE);
    const collector = collecting(fleet);
    await pass(fleet, 60_000);
    fleet.declared.add("orphan");
    fleet.lengths.set("orphan", 3);
    await pass(fleet, 36_000);
    expect(collector.view().queues).toContainEqual(
      expect.objectContaining({ queue: "orphan", length: 3, consumers: 0 }),
    );
    collector.close();
  });

  test.each([
    [1, 1_000, 300],
    [10, 1_000, 30],
    [10, 30_000, 20],
    [100, 30_000, 3],
    [1_000, 30_000, 2],
  ])(
    "of a database with %i slices of keys, and rounds every %i ms, is searched for %i times in ten minutes at most",
    async (slices, roundEveryMs, most) => {
      const fleet = fakeFleet();
      fleet.slices = slices;
      fleet.alive.add(NODE);
      const collector = collecting(fleet, { roundEveryMs });
      await pass(fleet, 10_000);
      fleet.searches = 0;
      await pass(fleet, 600_000);
      expect(fleet.searches).toBeLessThanOrEqual(most);
      expect(fleet.searches).toBeGreaterThanOrEqual(Math.floor(most / 2));
      collector.close();
    },
  );
});

test.each([1_000, 30_000])(
  "three nodes that fall silent at once change their states once each at an interval of %i ms",
  async (roundEveryMs) => {
    const fleet = fakeFleet();
    const nodes = [NODE, "celery@web-2", "celery@web-3"];
    for (const node of [...nodes, "celery@mute"]) fleet.alive.add(node);
    const collector = collecting(fleet, { roundEveryMs, lookEveryMs: 1_000 });
    await pass(fleet, 59_000, nodes);
    const said = new Map<string, string[]>();
    collector.onView(() => {
      for (const [node, reason] of Object.entries(reasons(collector))) {
        const before = said.get(node) ?? [];
        if (before.at(-1) !== reason) said.set(node, [...before, reason]);
      }
    });
    for (const node of nodes) {
      fleet.alive.delete(node);
      fleet.blocked.add(node);
      await fleet.host.pause(700);
    }
    await pass(fleet, GRACE_MS + 60_000, []);
    for (const node of nodes) expect(said.get(node)).toEqual(["alive", "busy", "hung"]);
    expect(said.get("celery@mute")).toEqual(["alive"]);
    collector.close();
  },
);

describe("a queue whose messages nobody fetches", () => {
  test("has no consumer from the next round on after its consumer was cancelled, and the node says so", async () => {
    const fleet = fakeFleet();
    for (const node of [NODE, "celery@web-2"]) fleet.alive.add(node);
    fleet.consumed.set("celery@web-2", ["mails"]);
    const collector = collecting(fleet);
    await pass(fleet, 60_000);
    fleet.consumed.set("celery@web-2", []);
    fleet.lengths.set("mails", 3);
    await pass(fleet, 36_000);
    expect(collector.view().nodes[0]).toMatchObject({
      node: "celery@web-2",
      queues: [],
      verdict: { status: "unhealthy", reason: "not-consuming", how: "cancelled", queue: "mails", waiting: 3 },
    });
    expect(collector.view().queues).toMatchObject([
      { queue: "celery", consumers: 1 },
      { queue: "mails", length: 3, consumers: 0 },
    ]);
    fleet.consumed.set("celery@web-2", ["mails"]);
    await pass(fleet, 36_000);
    expect(reasons(collector)).toEqual({ [NODE]: "alive", "celery@web-2": "alive" });
    collector.close();
  });

  test.each([2, 250])("costs a fleet of %i nodes one message a round", async (size) => {
    const fleet = fakeFleet();
    const nodes = Array.from({ length: size }, (_, number) => `celery@web-${number}`);
    for (const node of nodes) fleet.alive.add(node);
    fleet.lengths.set("celery", 3);
    const collector = collecting(fleet);
    await pass(fleet, 10_000);
    fleet.asked.length = 0;
    for (let second = 0; second < 240; second += 2) {
      for (const node of nodes) fleet.beat(node, { active: 1, processed: second });
      await fleet.host.pause(2_000);
    }
    const asked = fleet.asked.filter(({ method }) => method === "active_queues");
    expect(asked.length).toBeGreaterThanOrEqual(7);
    expect(asked.length).toBeLessThanOrEqual(8);
    expect(new Set(asked.flatMap(({ whom }) => whom)).size).toBe(size);
    collector.close();
  });
});

describe("while the broker is away", () => {
  test.each([
    ["broker-unreachable", LOST],
    ["broker-refused", MISCONF],
  ] as const)(
    "nodes are %s, tries are ever rarer, and it goes on when the broker is back",
    async (reason, failure) => {
      const fleet = fakeFleet();
      fleet.alive.add(NODE);
      const collector = collecting(fleet);
      await pass(fleet, 60_000);
      fleet.trouble = failure;
      const tried = fleet.tries.length;
      await pass(fleet, 600_000);
      expect(reasons(collector)).toEqual({ [NODE]: reason });
      expect(collector.view().broker).toMatchObject({ trouble: { failure }, reconnects: 0 });
      const tries = fleet.tries.slice(tried);
      expect(tries.length).toBeGreaterThan(20);
      expect(tries.length).toBeLessThan(45);
      fleet.trouble = null;
      await pass(fleet, 40_000);
      expect(reasons(collector)).toEqual({ [NODE]: "alive" });
      expect(collector.view().broker).toMatchObject({ trouble: null, reconnects: 1 });
      collector.close();
    },
  );

  test("nothing is said against who is not back yet before the grace is over", async () => {
    const fleet = fakeFleet();
    fleet.alive.add(NODE);
    const collector = collecting(fleet);
    await pass(fleet, 60_000);
    const said = new Set<string>();
    const stop = collector.onView(() => said.add(reasons(collector)[NODE] ?? "absent"));
    fleet.trouble = LOST;
    await pass(fleet, 60_000);
    fleet.trouble = null;
    fleet.alive.clear();
    await pass(fleet, GRACE_MS);
    expect([...said]).toEqual(["alive", "broker-unreachable", "undecided"]);
    await pass(fleet, 60_000);
    expect(reasons(collector)).toEqual({ [NODE]: "gone" });
    stop();
    collector.close();
  });

  test.each([3_000, 30_000])(
    "one that refuses questions stays refused until it takes one, in rounds every %i ms",
    async (roundEveryMs) => {
      const fleet = fakeFleet();
      const mute = "celery@mute";
      for (const node of [NODE, mute]) fleet.alive.add(node);
      const collector = collecting(fleet, { roundEveryMs });
      await pass(fleet, 60_000, [NODE]);
      const { failed } = collector.view().rounds;
      fleet.refusal = "OOM command not allowed when used memory > 'maxmemory'.";
      await pass(fleet, 40_000, [NODE]);
      const said = new Set<string>();
      const stop = collector.onView(() => {
        const { broker, nodes } = collector.view();
        said.add([broker.trouble?.failure.kind, ...nodes.map(({ verdict }) => verdict.reason)].join());
      });
      await pass(fleet, 120_000, [NODE]);
      stop();
      expect([...said]).toEqual(["refused,broker-refused,alive"]);
      expect(collector.view().rounds).toMatchObject({ areStale: true });
      expect(collector.view().rounds.failed).toBeGreaterThan(failed + 20);
      fleet.refusal = null;
      await pass(fleet, 12_000, [NODE]);
      expect(collector.view().broker.trouble).toBeNull();
      expect(reasons(collector)).toEqual({ [NODE]: "alive", [mute]: "alive" });
      // It has answered the ping that showed the end of the outage, so its time to come back is over.
      fleet.alive.delete(mute);
      await pass(fleet, roundEveryMs + 4_000, [NODE]);
      expect(reasons(collector)).toEqual({ [NODE]: "alive", [mute]: "gone" });
      collector.close();
    },
  );

  test("it is settled at once, and says what is wrong, where the broker was never there", async () => {
    const fleet = fakeFleet();
    fleet.trouble = LOST;
    const collector = collecting(fleet);
    await collector.settled();
    expect(collector.view().broker.trouble?.failure).toMatchObject(LOST);
    collector.close();
  });
});

test("nodes that were named are pinged alone, and nobody else is shown", async () => {
  const fleet = fakeFleet();
  for (const node of [NODE, "celery@web-2"]) fleet.alive.add(node);
  const collector = collecting(fleet, { nodes: [NODE] });
  await pass(fleet, 60_000);
  expect(fleet.asked.map(({ whom }) => whom)).toEqual([[NODE], [NODE], [NODE]]);
  expect(reasons(collector)).toEqual({ [NODE]: "alive" });
  collector.close();
});

test("a node that was named and ends is gone within the interval and seconds, although another named one is asked each round", async () => {
  const fleet = fakeFleet();
  const mute = "celery@mute";
  for (const node of [NODE, mute, "celery@web-2"]) fleet.alive.add(node);
  const collector = collecting(fleet, { nodes: [NODE, mute], roundEveryMs: 5_000 });
  for (let begun = 0; begun < 5; begun++) {
    await pass(fleet, 60_000 + begun * 1_000, [NODE, "celery@web-2"]);
    expect(reasons(collector)).toEqual({ [NODE]: "alive", [mute]: "alive" });
    fleet.alive.delete(NODE);
    await pass(fleet, 16_000, ["celery@web-2"]);
    expect(reasons(collector)).toEqual({ [NODE]: "gone", [mute]: "alive" });
    fleet.alive.add(NODE);
  }
  fleet.alive.delete(mute);
  await pass(fleet, 16_000);
  expect(reasons(collector)).toEqual({ [NODE]: "alive", [mute]: "gone" });
  collector.close();
});

test("a node that was named and said goodbye is pinged only together with all, every five minutes", async () => {
  const fleet = fakeFleet();
  const [OTHER, MUTE] = ["celery@web-2", "celery@mute"];
  for (const node of [NODE, OTHER, MUTE]) fleet.alive.add(node);
  const collector = collecting(fleet, { nodes: [NODE, OTHER, MUTE] });
  await pass(fleet, 60_000, [NODE, OTHER]);
  fleet.alive.delete(NODE);
  fleet.beat(NODE, { type: "worker-offline" });
  await fleet.host.pause(0);
  fleet.asked.length = 0;
  await pass(fleet, 240_000, [OTHER]);
  const pings = () => fleet.asked.filter(({ method }) => method === "ping");
  expect(pings().length).toBeGreaterThan(5);
  expect(pings().filter(({ whom }) => whom?.includes(NODE) !== false)).toEqual([]);
  // Nobody is left.
  fleet.alive.clear();
  for (const node of [OTHER, MUTE]) fleet.beat(node, { type: "worker-offline" });
  await pass(fleet, 10_000, []);
  fleet.asked.length = 0;
  await pass(fleet, 600_000, []);
  expect(pings().length).toBeLessThanOrEqual(2);
  collector.close();
});

test("of more queues than can be measured at once each has its turn, and those over the bound are counted", async () => {
  const fleet = fakeFleet();
  const queues = Array.from({ length: MOST_QUEUES + 3 }, (_, number) => `q${number}`);
  for (const queue of queues) fleet.lengths.set(queue, 1);
  const collector = collecting(fleet, { queues });
  await pass(fleet, 30_000);
  const view = collector.view();
  expect(view.queues).toHaveLength(MOST_QUEUES);
  expect(view.queues.every(({ length }) => length === 1)).toBe(true);
  expect(view.dropped.queues).toBe(3);
  collector.close();
});

test("2,000 rounds with workers that come and go under new names leave the memory as it was", async () => {
  const collectGarbage = spareMemory();
  const fleet = fakeFleet();
  const collector = collecting(fleet, { roundEveryMs: 5_000, lookEveryMs: 5_000 });
  const heap: number[] = [];
  let most = 0;
  for (let shift = 0; shift < 1_000; shift++) {
    const names = [0, 1, 2].map((number) => `celery@pod-${shift}-${number}`);
    fleet.alive.clear();
    for (const name of names) fleet.alive.add(name);
    for (let part = 0; part < 2; part++) {
      for (const name of names) fleet.beat(name);
      await fleet.host.pause(5_000);
    }
    fleet.asked.length = 0;
    if (shift % 200 !== 199) continue;
    most = Math.max(most, collector.view().nodes.length);
    collectGarbage();
    heap.push(process.memoryUsage().heapUsed);
  }
  expect(collector.view().rounds.done).toBeGreaterThan(1_980);
  collector.close();
  // Three names every ten seconds, each for ten minutes after its end.
  expect(most).toBeLessThan(200);
  const [, early = 0, , , late = 0] = heap;
  expect(late - early).toBeLessThan(2_000_000);
}, 60_000);
