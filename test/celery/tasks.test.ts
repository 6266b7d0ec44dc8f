import { expect, test } from "vitest";
import {
  agedTasks,
  ageS,
  isBuiltIn,
  knownBy,
  readRegistered,
  readTasks,
  registeredTasks,
  tasksBegun,
  whoKnows,
} from "../../src/celery/tasks.ts";

const ANSWER = [
  { name: "a", id: "1", time_start: 90, args: "('secret',)" },
  { name: "b", id: "2", time_start: 40 },
  { name: "c", id: "3", time_start: null },
  { id: "4" },
  null,
];

test("the tasks of an answer are sorted by age, and tasks that have not begun have no start", () => {
  const tasks = readTasks(ANSWER);
  expect(tasks).toEqual([
    { name: "b", id: "2", startS: 40 },
    { name: "a", id: "1", startS: 90 },
    { name: "c", id: "3", startS: null },
  ]);
  expect(tasks?.map((task) => ageS(task, 100))).toEqual([60, 10, 0]);
});

test("tasks have ages, the oldest first, and a task that has not begun has age 0", () => {
  expect(agedTasks(ANSWER, 100)).toEqual([
    { name: "b", id: "2", ageS: 60 },
    { name: "a", id: "1", ageS: 10 },
    { name: "c", id: "3", ageS: 0 },
  ]);
  expect(agedTasks({ error: "no" }, 100)).toBeNull();
});

test("a slow clock makes no task younger than 0", () => {
  expect(ageS({ name: "a", id: "1", startS: 101 }, 100)).toBe(0);
});

test.each([[{ error: "no" }], [null], [undefined], ["x"]])("%j is no answer", (answer) => {
  expect(readTasks(answer)).toBeNull();
});

test.each([
  ["tasks.add", { name: "tasks.add", limitS: null, perHour: null }],
  ["tasks.add [time_limit=300]", { name: "tasks.add", limitS: 300, perHour: null }],
  ["tasks.add [rate_limit=1/m]", { name: "tasks.add", limitS: null, perHour: 60 }],
  ["tasks.add [time_limit=300 rate_limit=1/m]", { name: "tasks.add", limitS: 300, perHour: 60 }],
  ["tasks.add [rate_limit=2/h]", { name: "tasks.add", limitS: null, perHour: 2 }],
  ["tasks.add [rate_limit=0.5]", { name: "tasks.add", limitS: null, perHour: 1_800 }],
  ["tasks.add [rate_limit=often]", { name: "tasks.add", limitS: null, perHour: Infinity }],
  ["tasks.add [soft_time_limit=200]", { name: "tasks.add", limitS: null, perHour: null }],
  [3, null],
])("registered %j is %j", (entry, read) => {
  expect(readRegistered(entry)).toEqual(read);
});

test("the names of an answer, and Celery's own", () => {
  expect([...(registeredTasks(["a [rate_limit=1/m]", "b"])?.keys() ?? [])]).toEqual(["a", "b"]);
  expect(registeredTasks({ error: "no" })).toBeNull();
  expect(["celery.chord", "celeryd.a", "tasks.celery"].filter(isBuiltIn)).toEqual(["celery.chord"]);
});

test.each([
  [{ total: { a: 2, b: 3 } }, 5],
  [{ total: {} }, 0],
  [{ total: { a: "2" } }, 0],
  [{}, null],
  ["no", null],
])("%j says that a worker has begun %s tasks", (stats, begun) => {
  expect(tasksBegun(stats)).toBe(begun);
});

test("a node that did not say which tasks it knows is not called ignorant", () => {
  const known = knownBy(
    new Map<string, unknown>(Object.entries({ x: ["a"], y: ["b [rate_limit=1/m]"], z: {} })),
  );
  expect(whoKnows("a", known, ["x", "y", "z", "w"])).toEqual({ knowing: ["x"], ignorant: ["y"] });
  expect(whoKnows("b", known, ["x", "z"])).toEqual({ knowing: [], ignorant: ["x"] });
});
