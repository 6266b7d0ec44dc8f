import { describe, expect, test } from "vitest";
import { agedTasks, isBuiltIn, readRegistered, registeredNames } from "../../src/celery/tasks.ts";
import { judgeUnacked } from "../../src/doctor/judge-tasks.ts";

test("the tasks of an answer, the oldest first; one that has no start yet is new", () => {
  const answer = [
    { name: "a", id: "1", time_start: 90, args: "('secret',)" },
    { name: "b", id: "2", time_start: 40 },
    { name: "c", id: "3", time_start: null },
    { id: "4" },
    null,
  ];
  expect(agedTasks(answer, 100)).toEqual([
    { name: "b", id: "2", ageS: 60 },
    { name: "a", id: "1", ageS: 10 },
    { name: "c", id: "3", ageS: 0 },
  ]);
  expect(agedTasks({ error: "no" }, 100)).toBeNull();
});

test.each([
  ["tasks.add", { name: "tasks.add", limitS: null }],
  ["tasks.add [time_limit=300]", { name: "tasks.add", limitS: 300 }],
  ["tasks.add [rate_limit=1/m]", { name: "tasks.add", limitS: null }],
  ["tasks.add [soft_time_limit=200]", { name: "tasks.add", limitS: null }],
  [3, null],
])("registered %j is %j", (entry, read) => {
  expect(readRegistered(entry)).toEqual(read);
});

test("the names of an answer, and Celery's own", () => {
  expect(registeredNames(["a [rate_limit=1/m]", "b"])).toEqual(new Set(["a", "b"]));
  expect(registeredNames({ error: "no" })).toBeNull();
  expect(["celery.chord", "celeryd.a", "tasks.celery"].filter(isBuiltIn)).toEqual(["celery.chord"]);
});

describe("what is not acknowledged", () => {
  const due = (id: string, etaS: number | null, deliveredS = 0) => ({
    task: { name: "a", id },
    etaS,
    isTimed: etaS !== null,
    deliveredS,
  });

  test.each([
    ["due a minute ago", due("1", 940), [], []],
    ["due longer ago", due("1", 939), ["1"], []],
    ["running", due("running", 100), [], []],
    ["without an ETA", due("1", null), [], []],
    ["due within the timeout", due("1", 4_000, 900), [], []],
    ["due beyond the timeout", due("1", 4_600, 900), [], ["1"]],
    ["due soon, delivered long ago", due("1", 1_100, -3_000), [], ["1"]],
  ])("%s", (_, one, late, beyond) => {
    const judged = judgeUnacked([one], new Set(["running"]), 3_600, 1_000);
    expect(judged.late.map(({ task }) => task.id)).toEqual(late);
    expect(judged.beyond.map(({ task }) => task.id)).toEqual(beyond);
  });
});
