import { expect, test } from "vitest";
import { knownLines } from "../../src/celery/known-lines.ts";

const info = (words: string) => `[2026-11-29 05:24:16,550: INFO/MainProcess] ${words}\n`;
const received = (id: string) => info(`Task shop.poison[${id}] received`);
const lost = (job: number) =>
  `[2026-11-29 05:24:16,559: ERROR/MainProcess] Task handler raised error: WorkerLostError('Worker exited prematurely: signal 9 (SIGKILL) Job: ${job}.')\n`;
const times = (count: number, text: (number: number) => string) =>
  Array.from({ length: count }, (_, number) => text(number)).join("");

test("a task is delivered again each time after it killed its child", () => {
  const log = times(28, (job) => received("a") + lost(2 * job) + received("b") + lost(2 * job + 1));
  expect(knownLines(log)).toEqual([
    {
      kind: "child-lost-again",
      count: 56,
      hasEnded: false,
      last: "2 tasks, of which shop.poison[b] came 28 times",
    },
  ]);
});

test.each([
  [
    "each child is killed by another task",
    times(9, (job) => received(`a-${job}`) + lost(job)),
    "child-killed",
  ],
  ["a task comes a second time", received("a") + lost(1) + received("a") + lost(2), "child-killed"],
  [
    "children are killed more often than a task returns",
    times(3, (job) => received("a") + lost(job)) + times(7, (job) => received(`b-${job}`) + lost(9 + job)),
    "child-killed",
  ],
])("children are lost for another reason when %s", (_, log, kind) => {
  expect(knownLines(log)).toMatchObject([{ kind }]);
});

const retried = (id: number) => info(`Task shop.pay[a-${id}] retry: Retry in 2s: ConnectionError('s3cret')`);

test.each([
  [5, "", 5],
  [4, "", null],
  [300, info("Task shop.add[b-1] succeeded in 0.1s: 3"), 300],
  [300, info("Task shop.pay[b-1] succeeded in 0.1s: 3"), null],
])("%i retries and %j count as %j retries without success", (count, rest, told) => {
  const found = knownLines(times(count, retried) + rest);
  expect(found).toEqual(
    told === null
      ? []
      : [{ kind: "retried", count: told, hasEnded: false, last: `shop.pay: retry: Retry in 2s` }],
  );
});

const discarded = (id: number) => info(`Discarding revoked task: shop.add[a-${id}]`);

test.each([
  ["many expire", times(40, discarded), 40],
  ["few do", times(4, discarded), null],
  [
    "few of many do",
    times(9, discarded) + times(91, (id) => info(`Task shop.add[b-${id}] succeeded in 0.1s: 3`)),
    null,
  ],
  [
    "they were revoked",
    times(40, (id) => info(`Tasks flagged as revoked: a-${id}`)) + times(40, discarded),
    null,
  ],
])("tasks are discarded when %s", (_, log, count) => {
  expect(knownLines(log).map((its) => [its.kind, its.count])).toEqual(
    count === null ? [] : [["discarded", count]],
  );
});
