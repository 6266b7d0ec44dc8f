import { describe, expect, test } from "vitest";
import { toldPool, toldQueues } from "../../src/fleet/answers.ts";
import { excuse, failed, returned } from "../../src/fleet/broker-steps.ts";
import { type FleetState, nodeOf, queueOf } from "../../src/fleet/fleet-state.ts";
import { measured } from "../../src/fleet/queue-steps.ts";
import { duePing } from "../../src/fleet/ping.ts";
import { beating, fleet, GRACE_MS, heard, look, NODE, ping, reasonOf, verdictOf } from "./scenes.ts";

const REFUSED = { kind: "refused", cause: "cannot-write", command: "PING", detail: "MISCONF" } as const;
const LOST = { kind: "unreachable", cause: "connection-refused", detail: "ECONNREFUSED" } as const;
const OTHER = "celery@web-2";

/** A node that was heard until 20 s and has answered at 10 s. */
function silentFrom20(): FleetState {
  const state = fleet();
  beating(state, 0, 20_000);
  ping(state, 10_000, 1, [NODE]);
  return state;
}

describe("a node that is not heard any more", () => {
  test.each<[name: string, atMs: number, reason: string]>([
    ["is alive while its heartbeat is young", 27_000, "alive"],
    ["is busy within the grace: its task may block it", 27_100, "busy"],
    ["is busy up to the grace", 319_900, "busy"],
    ["hangs past the grace", 320_000, "hung"],
  ])("%s", (_, atMs, reason) => {
    expect(reasonOf(silentFrom20(), atMs)).toBe(reason);
  });

  test("is gone once nobody is subscribed, and never comes back by an old answer", () => {
    const state = silentFrom20();
    ping(state, 28_000, 0);
    expect(verdictOf(state, 60_000)).toEqual({
      status: "unhealthy",
      reason: "gone",
      how: "vanished",
      forS: 40,
    });
  });

  test("is not gone while its process is in sight, although nobody is subscribed: it hangs past the grace, and is gone with its process", () => {
    const state = silentFrom20();
    const node = state.nodes.get(NODE);
    if (node === undefined) throw new Error("it was heard");
    node.isLocal = node.isFound = true;
    ping(state, 28_000, 0);
    expect([reasonOf(state, 60_000), reasonOf(state, 320_000)]).toEqual(["busy", "hung"]);
    node.isFound = false;
    ping(state, 330_000, 0);
    expect(reasonOf(state, 332_000)).toBe("gone");
  });

  test("is gone where all that are subscribed have answered", () => {
    const state = silentFrom20();
    beating(state, 0, 30_000, { node: OTHER });
    ping(state, 28_000, 1, [OTHER]);
    expect(reasonOf(state, 30_000)).toBe("gone");
  });

  test("is not said to be gone where fewer are subscribed than are silent", () => {
    const state = silentFrom20();
    beating(state, 0, 20_000, { node: OTHER });
    ping(state, 28_000, 1);
    expect([reasonOf(state, 30_000), reasonOf(state, 30_000, OTHER)]).toEqual(["busy", "busy"]);
  });

  test("is gone although another one refuses to answer, which did so before", () => {
    const state = silentFrom20();
    beating(state, 0, 30_000, { node: OTHER });
    ping(state, 15_000, 2, [NODE]);
    ping(state, 28_000, 1);
    expect([reasonOf(state, 30_000), reasonOf(state, 30_000, OTHER)]).toEqual(["gone", "deaf"]);
  });

  test("is alive again when it is heard", () => {
    const state = silentFrom20();
    ping(state, 28_000, 0);
    heard(state, 40_000);
    expect(reasonOf(state, 40_100)).toBe("alive");
  });

  test("may beat more slowly than others", () => {
    const state = fleet();
    heard(state, 0, { everyS: 10 });
    expect([reasonOf(state, 34_000), reasonOf(state, 36_000)]).toEqual(["alive", "busy"]);
  });
});

test("a node that sends no heartbeats is alive as long as it answers, and no longer", () => {
  const state = fleet();
  ping(state, 1_000, 1, [NODE]);
  expect(reasonOf(state, 29_000)).toBe("alive");
  ping(state, 31_000, 1);
  expect(reasonOf(state, 33_000)).toBe("busy");
  ping(state, 61_000, 0);
  expect(reasonOf(state, 63_000)).toBe("gone");
});

test("a node that beats is not alive by an answer that is older than its heartbeats may be", () => {
  const state = fleet();
  heard(state, 1_000);
  ping(state, 2_000, 1, [NODE]);
  expect(reasonOf(state, 10_000)).toBe("busy");
});

test("a node is deaf that leaves two pings in a row unanswered while its heartbeats come", () => {
  const state = fleet();
  beating(state, 0, 60_000);
  ping(state, 30_000, 1);
  expect(reasonOf(state, 60_000)).toBe("alive");
  ping(state, 60_000, 1);
  expect(reasonOf(state, 60_000)).toBe("deaf");
});

test("a node is not deaf by pings that came while a task blocked it, and is deaf if it leaves later ones unanswered", () => {
  const state = fleet();
  beating(state, 0, 20_000);
  ping(state, 10_000, 1, [NODE]);
  for (let ms = 28_000; ms <= 88_000; ms += 30_000) ping(state, ms, 1);
  // This one was sent before its task ended, and its answer came too late.
  const late = 119_000;
  heard(state, 120_000);
  ping(state, late, 1);
  for (let ms = 120_100; ms <= 150_000; ms += 2_000) {
    heard(state, ms);
    expect(reasonOf(state, ms)).toBe("alive");
  }
  ping(state, 149_000, 1);
  heard(state, 152_000);
  ping(state, 179_000, 1);
  beating(state, 154_000, 182_000);
  expect(reasonOf(state, 182_000)).toBe("deaf");
});

test("a node whose task has ended is pinged at the next round", () => {
  const state = silentFrom20();
  for (let ms = 28_000; ms <= 88_000; ms += 30_000) ping(state, ms, 1);
  heard(state, 120_000);
  expect(duePing(state, { roundEveryMs: 30_000, graceMs: GRACE_MS }, 120_100)).toBe("everyone");
});

describe("nodes that fall silent at once", () => {
  /** Both were heard until 20 s, and pings were answered by both before that. */
  function bothSilentFrom20(): FleetState {
    const state = fleet();
    for (const node of [NODE, OTHER]) beating(state, 0, 20_000, { node });
    ping(state, 19_000, 2, [NODE, OTHER]);
    return state;
  }

  test("are not deaf by pings behind their last heartbeat, and go from alive to busy to hung", () => {
    const state = bothSilentFrom20();
    const said = new Set<string>();
    for (let ms = 21_000; ms < 400_000; ms += 1_000) {
      ping(state, ms, 2);
      said.add([reasonOf(state, ms), reasonOf(state, ms, OTHER)].join());
    }
    expect([...said]).toEqual(["alive,alive", "busy,busy", "hung,hung"]);
  });

  test("are not taken for deaf ones: who is still subscribed is not gone because another has ended", () => {
    const state = bothSilentFrom20();
    // The heartbeats of one are a second younger.
    heard(state, 21_000, { node: OTHER });
    for (let ms = 22_000; ms < 400_000; ms += 1_000) {
      ping(state, ms, 1);
      expect([reasonOf(state, ms), reasonOf(state, ms, OTHER)]).not.toContain("gone");
    }
  });

  test("are no workers without a name", () => {
    const state = bothSilentFrom20();
    heard(state, 21_000, { node: OTHER });
    ping(state, 27_500, 2);
    expect(state.nameless).toBe(0);
  });
});

describe("while the broker is away", () => {
  test.each([
    ["broker-unreachable", LOST],
    ["broker-refused", REFUSED],
  ] as const)("a node is %s, and never unhealthy", (reason, failure) => {
    const state = silentFrom20();
    failed(state, failure, "line", 22_000);
    expect(reasonOf(state, 25_000)).toBe("alive");
    expect(verdictOf(state, 28_000)).toEqual({ status: "unknown", reason, failure });
    expect(reasonOf(state, 1_000_000)).toBe(reason);
  });

  test.each(["line", "question"] as const)(
    "a node that sends no heartbeats is unknown too: it cannot be pinged (%s)",
    (by) => {
      const state = fleet();
      ping(state, 1_000, 1, [NODE]);
      failed(state, REFUSED, by, 60_000);
      expect([reasonOf(state, 65_000), reasonOf(state, 68_000)]).toEqual(["alive", "broker-refused"]);
    },
  );

  test("its time counts for no silence, and all get the grace to be heard again", () => {
    const state = silentFrom20();
    failed(state, LOST, "line", 100_000);
    returned(state, ["line"], 700_000);
    expect(reasonOf(state, 701_000)).toBe("undecided");
    ping(state, 710_000, 0);
    expect(reasonOf(state, 999_000)).toBe("undecided");
    // 80 s before, and 301 s after.
    expect(reasonOf(state, 1_001_000)).toBe("hung");
    ping(state, 1_002_000, 0);
    expect(reasonOf(state, 1_002_000)).toBe("gone");
  });

  test("who was heard after it is judged as ever", () => {
    const state = silentFrom20();
    failed(state, LOST, "line", 22_000);
    returned(state, ["line"], 30_000);
    beating(state, 31_000, 41_000);
    ping(state, 50_000, 0);
    expect(reasonOf(state, 50_000)).toBe("gone");
  });

  test("a trouble of another kind goes on", () => {
    const state = silentFrom20();
    failed(state, REFUSED, "question", 30_000);
    returned(state, ["line", "ping"], 31_000);
    expect(reasonOf(state, 40_000)).toBe("broker-refused");
  });

  test("a silence that began before goes on where it ended", () => {
    const state = silentFrom20();
    excuse(state, 120_000, 180_000);
    expect(verdictOf(state, 480_000)).toMatchObject({ reason: "hung", silentS: 400 });
  });
});

describe("a node that answers and consumes nothing", () => {
  /** It beats with these numbers while a queue has this many messages from 10 s on. */
  function idle(more: Parameters<typeof heard>[2], own: number | null, unacked: FleetState["unacked"]) {
    const state = fleet();
    heard(state, 0);
    toldPool(state, NODE, { pool: null, prefetch: 8, transport: null }, 100);
    toldQueues(state, NODE, ["celery"], 100);
    for (let ms = 2_000; ms <= 120_000; ms += 2_000) {
      heard(state, ms, more);
      if (ms >= 10_000)
        measured(state, new Map([["celery", { messages: own, own, isOtherType: false }]]), ms);
      state.unacked = unacked;
    }
    return state;
  }

  test.each<[name: string, reason: string, ...Parameters<typeof idle>]>([
    ["is not consuming after a minute", "not-consuming", {}, 3, { messages: 0, oldestS: null }],
    ["is well where nothing waits", "alive", {}, 0, { messages: 0, oldestS: null }],
    ["is well while a task runs", "alive", { active: 1 }, 3, { messages: 0, oldestS: null }],
    ["is well where nobody tells the length", "alive", {}, null, { messages: 0, oldestS: null }],
    ["may be full of tasks that wait for their rate", "alive", {}, 3, { messages: 8, oldestS: 90 }],
    ["is not full of what others hold", "not-consuming", {}, 3, { messages: 8, oldestS: 5 }],
    ["may be full where nobody tells how many are held", "alive", {}, 3, null],
  ])("%s", (_, reason, more, own, unacked) => {
    const state = idle(more, own, unacked);
    expect(reasonOf(state, 120_000)).toBe(reason);
  });

  test("is well again when it begins a task", () => {
    const state = idle({}, 3, { messages: 0, oldestS: null });
    heard(state, 122_000, { processed: 10 });
    expect(reasonOf(state, 122_000)).toBe("alive");
  });

  test("says since when, by the later of its idleness and the queue's messages", () => {
    const state = idle({}, 3, { messages: 0, oldestS: null });
    expect(verdictOf(state, 120_000)).toMatchObject({
      how: "stalled",
      queue: "celery",
      waiting: 3,
      forS: 110,
    });
  });
});

describe("a node that says that it consumes nothing", () => {
  /** It consumed `mails` until 10 s, and nothing from then on; 3 messages wait in this queue. */
  function cancelled(queue: string, more: Parameters<typeof heard>[2] = {}) {
    const state = fleet();
    toldQueues(state, NODE, ["mails"], 100);
    toldQueues(state, OTHER, ["celery"], 100);
    for (const name of ["celery", "mails", "other"]) queueOf(state, name);
    beating(state, 0, 20_000, more);
    beating(state, 0, 20_000, { node: OTHER });
    toldQueues(state, NODE, ["mails"], 5_000);
    toldQueues(state, OTHER, ["celery"], 5_000);
    toldQueues(state, NODE, [], 10_000);
    measured(state, new Map([[queue, { messages: 3, own: 3, isOtherType: false }]]), 12_000);
    look(state, 14_000);
    return state;
  }

  test("is not consuming as soon as messages wait in the queue that it gave up", () => {
    const state = cancelled("mails");
    expect(verdictOf(state, 20_000)).toEqual({
      status: "unhealthy",
      reason: "not-consuming",
      how: "cancelled",
      node: NODE,
      queue: "mails",
      waiting: 3,
      forS: 8,
    });
    expect(reasonOf(state, 20_000, OTHER)).toBe("alive");
  });

  test("is well where messages wait in a queue that it has not consumed, and nobody consumes", () => {
    expect(reasonOf(cancelled("other"), 20_000)).toBe("alive");
  });

  test("is not consuming where messages wait in a queue that nobody consumes, if it was not seen to consume any", () => {
    const state = fleet();
    queueOf(state, "other");
    beating(state, 0, 20_000);
    toldQueues(state, NODE, [], 10_000);
    measured(state, new Map([["other", { messages: 3, own: 3, isOtherType: false }]]), 12_000);
    look(state, 14_000);
    expect(verdictOf(state, 20_000)).toMatchObject({ how: "cancelled", queue: "other" });
  });

  test("is well where nothing waits but in the queue of another", () => {
    expect(reasonOf(cancelled("celery"), 20_000)).toBe("alive");
  });

  test("is well while it runs a task: it may be told to end after it", () => {
    expect(reasonOf(cancelled("mails", { active: 1 }), 20_000)).toBe("alive");
  });

  test("is well again when it consumes", () => {
    const state = cancelled("mails");
    toldQueues(state, NODE, ["mails"], 20_000);
    expect(reasonOf(state, 20_000)).toBe("alive");
  });

  test("is judged anew when another process has its name", () => {
    const state = cancelled("mails");
    heard(state, 40_000, { pid: 13 });
    expect(reasonOf(state, 40_000)).toBe("alive");
  });
});

test("a named node that was never heard is undecided", () => {
  const state = fleet([NODE]);
  ping(state, 1_000, 0);
  expect(verdictOf(state, 60_000)).toMatchObject({ status: "unknown", because: "never-heard", forS: 60 });
});

test("what a process shows goes before what is heard in its name", () => {
  const state = fleet();
  beating(state, 0, 10_000);
  const node = nodeOf(state, NODE, 10_000);
  if (node === null) throw new Error("no room");
  const seen = { fact: "it is stopped", hint: null };
  node.seen = { status: "unhealthy", reason: "stopped", seen };
  expect(reasonOf(state, 10_000)).toBe("stopped");
});
