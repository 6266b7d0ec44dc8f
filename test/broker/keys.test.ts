import { expect, test } from "vitest";
import {
  controlChannel,
  heartbeatChannels,
  heartbeatPatterns,
  placeOf,
  replyKey,
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

test("controlChannel begins with the prefix when the transport has one", () => {
  expect(controlChannel(2, "gp:")).toBe("gp:/2.celery.pidbox");
});

const CHANNELS = [
  ["/0.celeryev/worker.heartbeat", { prefix: "", db: 0 }],
  ["/12.celeryev", { prefix: "", db: 12 }],
  ["gp:/3.celeryev/worker.heartbeat", { prefix: "gp:", db: 3 }],
  ["a/1.celeryev/3.celeryev", { prefix: "a/1.celeryev", db: 3 }],
] as const;

test.each(CHANNELS)("placeOf splits %s when it is a heartbeat's channel", (channel, place) => {
  expect(placeOf(channel)).toEqual(place);
  expect(heartbeatChannels(place.db, place.prefix)).toContain(channel);
});

test.each([
  "celeryev/worker.heartbeat",
  "/{db}.celeryev/worker.heartbeat",
  "/0.celeryev/worker.online",
  "/0.celeryev/worker.heartbeat2",
  "/0xceleryev",
  "/0.celery.pidbox",
  "/.celeryev",
  "",
])("placeOf is null when the channel is '%s'", (channel) => {
  expect(placeOf(channel)).toBeNull();
});

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
