import { expect, test } from "vitest";
import { tasks } from "../../src/doctor/topics/tasks.ts";
import type { WireCommand } from "../../src/broker/turns.ts";
import { fakeScene, only } from "./fake-scene.ts";

const NOW_S = 10_000;

const message = (eta: string | null = null) =>
  JSON.stringify({
    body: Buffer.from("[[], {}, {}]").toString("base64"),
    "content-type": "application/json",
    headers: { task: "tasks.unknown", id: "1", eta },
    properties: { body_encoding: "base64" },
  });

interface Fake {
  readonly args?: readonly string[];
  readonly active?: readonly object[];
  /** Of the worker's pool. */
  readonly timeouts?: readonly [number, number];
  /** Messages in its queue, and what they take in memory. */
  readonly waiting?: { readonly length: number; readonly bytes: number };
  /** Sizes of the messages that are not acknowledged. */
  readonly unacked?: readonly number[];
}

async function ask({ args = [], active = [], timeouts = [0, 0], waiting, unacked = [] }: Fake) {
  const late = `[${message("1970-01-01T00:00:01+00:00")}, "", "mails"]`;
  const tags = unacked.flatMap((_, position) => [`tag-${position}`, String(NOW_S)]);
  const broker = ([name, key, more, ...others]: WireCommand): unknown => {
    if (name === "LLEN") return key === "mails" ? (waiting?.length ?? 0) : 0;
    if (name === "MEMORY") return waiting?.bytes;
    if (name === "LRANGE") return [message()];
    if (name === "ZCARD") return unacked.length;
    if (name === "ZCOUNT") return 0;
    if (name === "ZRANGE") return tags;
    if (name === "HSTRLEN") return unacked[Number(String(more).slice(4))];
    return name === "HMGET" ? [more, ...others].map(() => late) : undefined;
  };
  const told = {
    active,
    active_queues: [{ name: "mails" }],
    registered: ["tasks.add"],
    stats: { pool: { implementation: "celery.concurrency.prefork:TaskPool", timeouts } },
    conf: {},
  };
  const { scene, sent } = fakeScene({ args, told, broker, epochSeconds: NOW_S });
  return { findings: await tasks(scene), sent };
}

/** LARGEST: a message of more bytes is not read. */
test.each([
  ["one message of the largest size", { length: 1, bytes: 262_144 }, "problem"],
  ["one message that is a byte larger", { length: 1, bytes: 262_145 }, "skipped"],
  ["ten messages of the largest size on average", { length: 10, bytes: 2_621_440 }, "problem"],
  ["ten messages that are larger on average", { length: 10, bytes: 2_621_441 }, "skipped"],
])("the task of %s is examined: %s", async (_, waiting, level) => {
  const { findings, sent } = await ask({ waiting });
  const found = only(findings, "unregistered-task");
  expect(found.level).toBe(level);
  expect(found.facts).toMatchObject(
    level === "skipped"
      ? { kind: "known", looked: 0, unread: 1 }
      : { kind: "unknown", task: "tasks.unknown" },
  );
  expect(sent.filter(([name]) => name === "LRANGE")).toHaveLength(level === "skipped" ? 0 : 1);
});

test.each([
  ["of the largest size", [262_144], 1],
  ["larger", [262_145], 0],
  ["that have the largest size together", [262_143, 1], 2],
  ["that are too large together", [262_143, 2], 1],
  ["with a first one that is too large", [262_145, 262_144], 1],
])("out of unacknowledged messages %s (%j bytes) %i are read", async (_, unacked, looked) => {
  const { findings } = await ask({ unacked });
  expect(only(findings, "late-tasks").facts).toMatchObject({ kind: "seen", unacked: unacked.length, looked });
});

test.each([
  // Clocks differ, and pools look once a second.
  [60, 65, [], "ok"],
  [60, 65.5, [], "warning"],
  [0, 900, [], "ok"],
  [0, 60, ["--max-task-age", "60s"], "ok"],
  [0, 60.5, ["--max-task-age", "60s"], "warning"],
  // Younger than what is asked after by itself.
  [0, 2, ["--max-task-age", "2s"], "ok"],
  [0, 2.5, ["--max-task-age", "2s"], "warning"],
])("with a hard limit of %i s, a task of %d s with %j is %s", async (hard, ageS, args, level) => {
  const active = [{ name: "tasks.add", id: "1", time_start: NOW_S - ageS }];
  const { findings } = await ask({ args, active, timeouts: [0, hard] });
  expect(only(findings, "task-age").level).toBe(level);
});
