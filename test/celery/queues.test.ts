import { expect, test } from "vitest";
import type { Reply } from "../../src/broker/channel.ts";
import { askLengths, isTaskExchange, isTaskQueue, listsOf, queueKeys } from "../../src/celery/queues.ts";
import { DEFAULT_TRANSPORT } from "../../src/celery/transport-options.ts";

test("queueKeys are lists for every priority, with kombu's separator and with the one in Celery's documentation", () => {
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

test("queueKeys include the separators and steps that workers tell", () => {
  const told = { ...DEFAULT_TRANSPORT, separator: "|", prioritySteps: [0, 5, 12] };
  const usual = queueKeys("q");
  const keys = queueKeys("q", "", listsOf([told]));
  expect(usual.filter((key) => !keys.includes(key))).toEqual([]);
  expect(keys).toEqual(expect.arrayContaining(["q|5", "q|12", "q:12", "q\x06\x1612"]));
});

/** The length of each queue by replies to the commands, of which every other one is 0. */
function lengths(queues: readonly string[], replies: Readonly<Record<string, Reply>>) {
  const question = askLengths(queues, "");
  const answers = question.commands.map(([, key]): Reply => replies[key] ?? { ok: true, value: 0 });
  return Object.fromEntries(question.read(answers));
}

const WRONG = {
  ok: false,
  error: "WRONGTYPE Operation against a key holding the wrong kind of value",
} as const;

test("a queue's length is the sum of its own lists", () => {
  const length = (value: number): Reply => ({ ok: true, value });
  const replies = { a: length(4), "a:3": length(2), "b\x06\x169": length(1) };
  expect(lengths(["a", "b", "c"], replies)).toEqual({
    a: { messages: 6, own: 4, isOtherType: false },
    b: { messages: 1, own: 0, isOtherType: false },
    c: { messages: 0, own: 0, isOtherType: false },
  });
});

test("a priority's key without a list adds nothing to the queue", () => {
  expect(lengths(["a"], { a: { ok: true, value: 4 }, "a:5": WRONG })["a"]).toEqual({
    messages: 4,
    own: 4,
    isOtherType: false,
  });
});

test("a queue has no length when its own key is not a list", () => {
  expect(lengths(["a"], { a: WRONG })["a"]).toEqual({ messages: null, own: null, isOtherType: true });
});

test.each([
  ["an error", { ok: false, error: "NOPERM x" }],
  ["text", { ok: true, value: "4" }],
  ["nothing", { ok: true, value: null }],
] as const)("a queue has no length when a reply is %s", (_, reply) => {
  for (const key of ["a", "a:9"])
    expect(lengths(["a"], { [key]: reply })["a"]).toMatchObject({ messages: null, isOtherType: false });
});

test("a queue has no length when there are no replies", () => {
  expect([...askLengths(["a"], "").read([])]).toEqual([
    ["a", { messages: null, own: null, isOtherType: false }],
  ]);
});

test("exchanges and queues of remote control and events are no tasks'", () => {
  const exchanges = ["celery", "mails", "celery.pidbox", "reply.celery.pidbox", "celeryev", "app.celeryev"];
  expect(exchanges.filter(isTaskExchange)).toEqual(["celery", "mails"]);
  const queues = ["celery", "w1@host.celery.pidbox", "8c.reply.celery.pidbox", "celeryev.8c0b", "bcast.77"];
  expect(queues.filter(isTaskQueue)).toEqual(["celery"]);
});
