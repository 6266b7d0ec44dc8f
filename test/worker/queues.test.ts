import { expect, test } from "vitest";
import { lengthsOf, queueKeys } from "../../src/worker/queues.ts";

test("queueKeys are kombu's lists when messages have priorities", () => {
  // kombu/transport/redis.py, Channel._q_for_pri: '{0}{1}{2}'.format(queue, self.sep, pri)
  expect(queueKeys("celery")).toEqual([
    "celery",
    "celery\u0006\u00163",
    "celery\u0006\u00166",
    "celery\u0006\u00169",
  ]);
});

test("queueKeys begin with the prefix when there is one", () => {
  expect(queueKeys("q", "gp:")).toEqual(["gp:q", "gp:q\x06\x163", "gp:q\x06\x166", "gp:q\x06\x169"]);
});

test("lengthsOf is the sum when every list has a length", () => {
  expect(lengthsOf([4, 0, 2, 1].map((value) => ({ ok: true, value })))).toBe(7);
});

test.each([
  ["a reply is an error", { ok: false, error: "WRONGTYPE x" }],
  ["a reply is text", { ok: true, value: "4" }],
  ["a reply is nothing", { ok: true, value: null }],
] as const)("lengthsOf is null when %s", (_, reply) => {
  expect(lengthsOf([{ ok: true, value: 1 }, reply])).toBeNull();
});
