import { expect, test } from "vitest";
import { isOtherType, lengthsOf, queueKeys } from "../../src/celery/queues.ts";

test("queueKeys are kombu's lists for every priority, behind its separator and behind Celery's documented one", () => {
  // kombu/transport/redis.py, Channel._q_for_pri: '{0}{1}{2}'.format(queue, self.sep, pri)
  expect(queueKeys("celery")).toEqual([
    "celery",
    ...[1, 2, 3, 4, 5, 6, 7, 8, 9].map((priority) => `celery\u0006\u0016${priority}`),
    ...[1, 2, 3, 4, 5, 6, 7, 8, 9].map((priority) => `celery:${priority}`),
  ]);
});

test("queueKeys begin with the prefix when there is one", () => {
  const keys = queueKeys("q", "gp:");
  expect(keys).toEqual(queueKeys("q").map((key) => `gp:${key}`));
});

test("lengthsOf is the sum when every list has a length", () => {
  expect(lengthsOf([4, 0, 2, 1].map((value) => ({ ok: true, value })))).toBe(7);
});

test("lengthsOf counts nothing of a priority's key that holds no list", () => {
  const hash = {
    ok: false,
    error: "WRONGTYPE Operation against a key holding the wrong kind of value",
  } as const;
  expect(lengthsOf([{ ok: true, value: 4 }, hash, { ok: true, value: 1 }])).toBe(5);
  // The queue itself is none then.
  expect(lengthsOf([hash, { ok: true, value: 1 }])).toBeNull();
  expect(isOtherType([hash, { ok: true, value: 1 }])).toBe(true);
  expect(isOtherType([{ ok: true, value: 1 }, hash])).toBe(false);
  expect(isOtherType([{ ok: false, error: "NOPERM x" }])).toBe(false);
});

test.each([
  ["a reply is an error", { ok: false, error: "NOPERM x" }],
  ["a reply is text", { ok: true, value: "4" }],
  ["a reply is nothing", { ok: true, value: null }],
] as const)("lengthsOf is null when %s", (_, reply) => {
  expect(lengthsOf([{ ok: true, value: 1 }, reply])).toBeNull();
});
