import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { controlChannel, replyKey } from "../../src/broker/keys.ts";

const sha1 = (bytes: Uint8Array) => createHash("sha1").update(bytes).digest();

test("controlChannel is kombu's fanout channel when the database changes", () => {
  expect(controlChannel(0)).toBe("/0.celery.pidbox");
  expect(controlChannel(3)).toBe("/3.celery.pidbox");
});

test("replyKey is the same list when the same nodes are asked, in whatever order", () => {
  expect(replyKey(["a@x", "b@x"], sha1)).toBe(replyKey(["b@x", "a@x"], sha1));
});

test("replyKey is another list when other nodes are asked", () => {
  const keys = [["a@x"], ["b@x"], ["a@x", "b@x"], ["a@x,b@x"], ['a@x","b@x'], "everyone" as const, ["*"]];
  expect(new Set(keys.map((nodes) => replyKey(nodes, sha1))).size).toBe(keys.length);
});

test("replyKey is a version 5 UUID under Celery's name for reply queues when asked for one node", () => {
  // python3 -c 'import uuid; print(uuid.uuid5(uuid.NAMESPACE_URL, "celery-probe:[\"celery@web-1\"]"))'
  expect(replyKey(["celery@web-1"], sha1)).toBe("423a1599-c819-5349-8bbe-92e8742a19f3.reply.celery.pidbox");
});
