import { describe, expect, test } from "vitest";
import {
  controlChannel,
  DEFAULT_NAMING,
  heartbeatChannels,
  heartbeatPatterns,
  nodeOfBinding,
  pidboxBindings,
  queueOfBinding,
  type Naming,
  replyKey,
  routesTo,
  whenceOf,
} from "../../src/broker/keys.ts";

test("controlChannel is kombu's fanout channel when the database changes", () => {
  expect(controlChannel(0)).toBe("/0.celery.pidbox");
  expect(controlChannel(3)).toBe("/3.celery.pidbox");
});

test("replyKey is the same list when the same nodes are asked, in whatever order", () => {
  expect(replyKey(["a@x", "b@x"])).toBe(replyKey(["b@x", "a@x"]));
});

test("replyKey is another list when other nodes are asked", () => {
  const keys = [["a@x"], ["b@x"], ["a@x", "b@x"], ["a@x,b@x"], ['a@x","b@x'], "everyone" as const, ["*"]];
  expect(new Set(keys.map((nodes) => replyKey(nodes))).size).toBe(keys.length);
});

test("replyKey is a version 5 UUID under Celery's name for reply queues when asked for one node", () => {
  // python3 -c 'import uuid; print(uuid.uuid5(uuid.NAMESPACE_URL, "celery-probe:[\"celery@web-1\"]"))'
  expect(replyKey(["celery@web-1"])).toBe("423a1599-c819-5349-8bbe-92e8742a19f3.reply.celery.pidbox");
});

const named = (naming: Partial<Naming>): Naming => ({ ...DEFAULT_NAMING, ...naming });

test.each([
  [{}, 3, "/3.celery.pidbox"],
  [{ fanoutPrefix: "" }, 0, "celery.pidbox"],
  [{ fanoutPrefix: "/app1." }, 0, "/app1.celery.pidbox"],
  [{ fanoutPrefix: "/x{db}." }, 2, "/x2.celery.pidbox"],
  [{ controlExchange: "myctl" }, 0, "/0.myctl.pidbox"],
  [{ prefix: "gp:" }, 2, "gp:/2.celery.pidbox"],
])("controlChannel is kombu's when the settings are %o", (naming, db, channel) => {
  expect(controlChannel(db, named(naming))).toBe(channel);
});

test("replyKey ends like the reply queues of the control exchange", () => {
  expect(replyKey(["a@x"], "myctl")).toMatch(/^[\da-f-]{36}\.reply\.myctl\.pidbox$/);
});

describe("routesTo", () => {
  const K = "k.reply.celery.pidbox";
  test("is one way when nothing is set", () => {
    expect(routesTo(0, DEFAULT_NAMING, K, false)).toEqual([{ channel: "/0.celery.pidbox", lists: [K] }]);
  });

  test("has the ways of kombu before 5.2.4 and before 5.2.0 too when there is a key prefix", () => {
    expect(routesTo(0, named({ prefix: "gp:" }), K, false)).toEqual([
      { channel: "gp:/0.celery.pidbox", lists: [`gp:${K}`] },
      { channel: "/0.celery.pidbox", lists: [`gp:${K}`, K] },
    ]);
  });

  test("has the braces of kombu before 5.4.0 too when Sentinels name the server", () => {
    expect(routesTo(2, DEFAULT_NAMING, K, true)).toEqual([
      { channel: "/2.celery.pidbox", lists: [K] },
      { channel: "/{db}.celery.pidbox", lists: [K], ofAllDatabases: true },
    ]);
    expect(routesTo(2, named({ fanoutPrefix: "/app1." }), K, true)).toEqual([
      { channel: "/app1.celery.pidbox", lists: [K], ofAllDatabases: true },
    ]);
  });
});

const CHANNELS = [
  ["/0.celeryev/worker.heartbeat", {}, 0],
  ["/12.celeryev", {}, 12],
  ["gp:/3.celeryev/worker.heartbeat", { prefix: "gp:" }, 3],
  ["a/1.celeryev/3.celeryev", { prefix: "a/1.celeryev" }, 3],
  ["/app1.celeryev/worker.heartbeat", { fanoutPrefix: "/app1." }, 3],
  ["celeryev/worker.heartbeat", { fanoutPrefix: "" }, 3],
] as const;

test.each(CHANNELS)("whenceOf expects %s when the settings are %o", (channel, naming, db) => {
  expect(whenceOf(channel, db, named(naming))).toEqual({ kind: "expected" });
  expect(heartbeatChannels(db, named(naming))).toContain(channel);
});

test.each([
  ["/{db}.celeryev/worker.heartbeat", {}, { kind: "expected" }],
  ["/1.celeryev/worker.heartbeat", {}, { kind: "other-database" }],
  ["gp:/0.celeryev/worker.heartbeat", {}, { kind: "other-prefix", prefix: "gp:" }],
  ["/0.celeryev/worker.heartbeat", { prefix: "gp:" }, { kind: "other-prefix", prefix: "" }],
  ["/app1.celeryev", {}, { kind: "other-fanout-prefix", fanoutPrefix: "/app1." }],
  ["celeryev/worker.heartbeat", {}, { kind: "other-fanout-prefix", fanoutPrefix: "" }],
  ["gp:/a.celeryev", { prefix: "gp:" }, { kind: "other-fanout-prefix", fanoutPrefix: "/a." }],
  ["/0.celeryev", { fanoutPrefix: "" }, { kind: "other-fanout-prefix", fanoutPrefix: "/0." }],
])("whenceOf tells what differs when %s is heard, and told were %o", (channel, naming, whence) => {
  expect(whenceOf(channel, 0, named(naming))).toEqual(whence);
});

test.each(["/0.celeryev/worker.online", "/0.celeryev/worker.heartbeat2", "/0.celery.pidbox", ""])(
  "whenceOf is null when the channel is '%s'",
  (channel) => {
    expect(whenceOf(channel, 0, DEFAULT_NAMING)).toBeNull();
  },
);

test("heartbeatPatterns match every heartbeat's channel and no other event's when Redis compares them", () => {
  const globs = heartbeatPatterns().map(
    (pattern) => new RegExp(`^${pattern.replaceAll(".", "\\.").replaceAll("*", ".*")}$`),
  );
  const isHeard = (channel: string) => globs.some((glob) => glob.test(channel));
  expect(CHANNELS.map(([channel]) => isHeard(channel))).toEqual(CHANNELS.map(() => true));
  expect(isHeard("celeryev/worker.heartbeat")).toBe(true);
  expect(isHeard("/0.celeryev/worker.online")).toBe(false);
  expect(isHeard("/0.celeryev/task.multi")).toBe(false);
});

test.each([
  ["celery\x06\x16\x06\x16celery", "celery"],
  ["\x06\x16\x06\x16a:b", "a:b"],
  ["rk::mails", "mails"],
  ["\x06\x16\x06\x16", null],
  ["nothing", null],
])("the binding %j is of %s", (member, queue) => {
  expect(queueOfBinding(member)).toBe(queue);
});

test("a separator that a worker has told is believed", () => {
  expect(queueOfBinding("a||a")).toBeNull();
  expect(queueOfBinding("a||a", ["\x06\x16", "|"])).toBe("a");
  expect(queueOfBinding("a|b", ["\x06\x16", "|"])).toBeNull();
});

test.each([
  ["\x06\x16\x06\x16w1@a.celery.pidbox", "celery", "w1@a"],
  ["::w1@a.celery.pidbox", "celery", "w1@a"],
  ["\x06\x16\x06\x16w1@a.celery.pidbox", "other", null],
  ["nothing", "celery", null],
])("the binding %j to %s is of the node %s", (member, exchange, node) => {
  expect(nodeOfBinding(member, exchange)).toBe(node);
});

test("a node is looked for with both separators", () => {
  for (const member of pidboxBindings("w1@a", "celery")) expect(nodeOfBinding(member, "celery")).toBe("w1@a");
});
