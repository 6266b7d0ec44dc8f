import { expect, test } from "vitest";
import type { Unacked } from "../../src/celery/deliveries.ts";
import { deliveredAgain, mostRetried, runningTwice } from "../../src/celery/repeated-tasks.ts";

const delivery = (id: string, more: Partial<Unacked> = {}): Unacked => ({
  task: { name: "a", id },
  ...{ etaS: null, isTimed: false, deliveredS: 10, isRedelivered: false, retries: 0 },
  ...{ routingKey: "celery", subtask: null },
  ...more,
});

const aged = (id: string, ageS: number) => ({ name: "a", id, ageS });

test.each([
  ["each runs once", { x: [aged("1", 5)], y: [aged("2", 6)] }, null],
  [
    "a task runs on two nodes, and the first began it first",
    { x: [aged("1", 5)], y: [aged("1", 6), aged("2", 9)] },
    { task: aged("1", 6), nodes: ["y", "x"], tasks: 1 },
  ],
  [
    "two tasks do, and the older is named",
    { x: [aged("1", 5), aged("2", 8)], y: [aged("1", 6), aged("2", 7)] },
    { task: aged("2", 8), nodes: ["x", "y"], tasks: 2 },
  ],
  ["nothing runs", {}, null],
])("tasks that run twice are found when %s", (_, inHand, expected) => {
  expect(runningTwice(new Map(Object.entries(inHand)))).toEqual(expected);
});

test.each([
  [[0, 10], null],
  [[11, 10], { task: { name: "a", id: "0" }, tasks: 1, retries: 11 }],
  [[11, 12, 3], { task: { name: "a", id: "1" }, tasks: 2, retries: 12 }],
])("among tasks that were retried %j times the most retried one is found", (times, expected) => {
  expect(mostRetried(times.map((retries, id) => delivery(String(id), { retries })))).toEqual(expected);
});

test.each([
  ["is as before", delivery("1", { isRedelivered: true }), null],
  ["was delivered again", delivery("1", { isRedelivered: true, deliveredS: 11 }), { name: "a", id: "1" }],
  ["was sent twice", delivery("1", { deliveredS: 11 }), null],
  ["was not seen before", delivery("2", { isRedelivered: true, deliveredS: 11 }), null],
])("a delivery that %s", (_, second, task) => {
  expect(deliveredAgain([delivery("1")], [second])).toEqual(task === null ? null : { task, tasks: 1 });
});
