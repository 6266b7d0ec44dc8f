import { expect, test } from "vitest";
import { ageS, readTasks } from "../../src/celery/tasks.ts";

test("the tasks of an answer come the oldest first; one that its pool has not begun has no start", () => {
  const answer = [
    { name: "a", id: "1", time_start: 90, args: "('secret',)" },
    { name: "b", id: "2", time_start: 40 },
    { name: "c", id: "3", time_start: null },
    { id: "4" },
    null,
  ];
  const tasks = readTasks(answer);
  expect(tasks).toEqual([
    { name: "b", id: "2", startS: 40 },
    { name: "a", id: "1", startS: 90 },
    { name: "c", id: "3", startS: null },
  ]);
  expect(tasks?.map((task) => ageS(task, 100))).toEqual([60, 10, 0]);
});

test("a clock that is behind makes no task younger than 0", () => {
  expect(ageS({ name: "a", id: "1", startS: 101 }, 100)).toBe(0);
});

test.each([[{ error: "no" }], [null], [undefined], ["x"]])("%j is no answer", (answer) => {
  expect(readTasks(answer)).toBeNull();
});
