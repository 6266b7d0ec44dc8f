import { expect, test } from "vitest";
import type { WireCommand } from "../../src/broker/turns.ts";
import type { Scene } from "../../src/doctor/scene.ts";
import { queues } from "../../src/doctor/topics/queues.ts";
import { fakeScene, NODE } from "./fake-scene.ts";

const NOW_S = 1_000;

/** A message of a task that was sent by the task of this id; null: by a client. */
const message = (id: string, parent: string | null, group: string | null = null) =>
  JSON.stringify({
    ...{ body: "", "content-type": "application/json", properties: {} },
    headers: { task: "shop.part", id, parent_id: parent, group },
  });

/** Two tasks, `a` and `b`, hold the two slots of the only worker; `a1` and `b1` are what they have sent. */
const STUCK = {
  waiting: [message("a1", "a"), message("b1", "b")] as readonly string[],
  fetched: [] as readonly string[],
  /** Results to which somebody is subscribed. */
  awaited: ["a1", "b1"] as readonly string[],
  active: 2,
  begun: 0,
  pool: "celery.concurrency.prefork:TaskPool",
  conf: { result_backend: "redis://127.0.0.1:6379/1" } as object,
  silent: 0,
  key: "mails",
  /** Bytes that the list takes. */
  memory: 900,
};

async function standstill(change: Partial<typeof STUCK>) {
  const { waiting, fetched, awaited, active, begun, pool, conf, silent, key, memory } = {
    ...STUCK,
    ...change,
  };
  const beat = { node: NODE, pid: 12, version: "5.7.0", active };
  const spans = new Map([
    [
      NODE,
      { first: { ...beat, processed: 0 }, firstMs: 0, last: { ...beat, processed: begun }, lastMs: 4_000 },
    ],
  ]);
  const { scene, sent } = fakeScene({
    told: {
      ...{ active_queues: [{ name: "mails" }], conf, registered: [] },
      stats: { pool: { "max-concurrency": 2, implementation: pool } },
      active: ["a", "b"].slice(0, active).map((id) => ({ name: "shop.report", id, time_start: NOW_S - 9 })),
    },
    epochSeconds: NOW_S,
    broker: ([name, first, ...more]: WireCommand) => {
      if (name === "LLEN") return first === "mails" ? waiting.length : 0;
      if (name === "LRANGE") return waiting;
      if (name === "PUBSUB")
        return more.flatMap((channel) => [
          channel,
          awaited.some((id) => channel === `celery-task-meta-${id}`) ? 1 : 0,
        ]);
      if (name === "ZRANGE") return fetched.flatMap((_, at) => [String(at), String(NOW_S)]);
      if (name === "HMGET") return fetched.map((text) => `[${text}, "", "${key}"]`);
      return { SCAN: ["0", []], ZCARD: fetched.length, ZCOUNT: 0, HSTRLEN: 300, MEMORY: memory }[name];
    },
    scene: { spans: () => spans, silent: () => Promise.resolve(silent) } as unknown as Partial<Scene>,
  });
  const found = (await queues(scene)).filter(({ code }) => code === "standstill");
  return { found: found.map(({ level, faults }) => [level, ...faults]), sent };
}

const NAMED = [["problem", "awaits-behind"]];
const FETCHED = { waiting: [], fetched: STUCK.waiting };

test.each<readonly [string, Partial<typeof STUCK>, unknown]>([
  ["both wait", {}, NAMED],
  ["both wait for what the worker has fetched", FETCHED, NAMED],
  ["one waits for each", { waiting: STUCK.waiting.slice(1), fetched: STUCK.waiting.slice(0, 1) }, NAMED],
  ["both wait, in the threads pool", { pool: "celery.concurrency.thread:TaskPool" }, NAMED],
  ["nobody waits for one result", { awaited: ["a1"] }, [["ok"]]],
  [
    "one has sent nothing",
    { waiting: [message("a1", "a"), message("c1", "c")], awaited: ["a1", "c1"] },
    [["ok"]],
  ],
  ["a client has sent them", { waiting: [message("a1", null), message("b1", null)] }, [["ok"]]],
  ["they are of groups", { waiting: [message("a1", "a", "g"), message("b1", "b", "h")] }, [["ok"]]],
  ["a sender subscribes at once", { pool: "celery.concurrency.gevent:TaskPool" }, [["ok"]]],
  ["another backend keeps the results", { conf: { result_backend: "db+sqlite:///results" } }, [["ok"]]],
  [
    "the keys of results have a prefix",
    { conf: { ...STUCK.conf, result_backend_transport_options: { global_keyprefix: "********" } } },
    [["ok"]],
  ],
  ["what was fetched came to another queue", { ...FETCHED, key: "others" }, []],
  ["what was fetched may be run by a silent worker", { ...FETCHED, silent: 1 }, []],
  [
    "what was fetched runs itself",
    { waiting: [], fetched: [message("a", "b"), message("b", "a")], awaited: ["a", "b"] },
    [],
  ],
  ["a task begins", { begun: 1 }, []],
  ["nothing waits", { waiting: [] }, []],
])("the finding of tasks that hold all slots, where %s", async (_, change, expected) => {
  expect((await standstill(change)).found).toEqual(expected);
});

test("does not look for what tasks wait for where a slot is free", async () => {
  const { sent } = await standstill({ active: 1, waiting: [] });
  expect(sent.filter(([name]) => name === "PUBSUB" || name === "HMGET")).toEqual([]);
});

test("reads a few messages of each end of a long queue, and none of a queue of large ones", async () => {
  const { sent } = await standstill({ waiting: Array.from({ length: 501 }, () => message("a1", "a")) });
  expect(sent.filter(([name]) => name === "LRANGE")).toEqual([
    ["LRANGE", "mails", 0, 249],
    ["LRANGE", "mails", -250, -1],
  ]);
  const { sent: none } = await standstill({ memory: 2 * 262_144 + 1 });
  expect(none.filter(([name]) => name === "LRANGE")).toEqual([]);
});
