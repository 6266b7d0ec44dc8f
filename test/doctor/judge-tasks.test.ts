import { describe, expect, test } from "vitest";
import {
  agedTasks,
  isBuiltIn,
  judgeUnacked,
  readRegistered,
  readUnacked,
  registeredNames,
  taskOfMessage,
} from "../../src/doctor/judge-tasks.ts";

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

function message(headers: object, body: unknown, type = "application/json"): string {
  return JSON.stringify({
    body: Buffer.from(JSON.stringify(body)).toString("base64"),
    "content-type": type,
    headers,
    properties: { body_encoding: "base64" },
  });
}

describe("a message's task", () => {
  test.each([
    ["protocol 2", message({ task: "a", id: "1" }, [[], {}, {}]), { name: "a", id: "1" }],
    [
      "protocol 2, pickled",
      message({ task: "a", id: "1" }, "", "application/x-python-serialize"),
      { name: "a", id: "1" },
    ],
    ["protocol 1", message({}, { task: "a", id: "1", args: [] }), { name: "a", id: "1" }],
    ["protocol 1, pickled", message({}, "", "application/x-python-serialize"), null],
    ["no task", message({}, []), null],
    ["no message", "42", null],
    ["no JSON", "{", null],
  ])("of %s", (_, text, task) => {
    expect(taskOfMessage(text)).toEqual(task);
  });
});

describe("what is not acknowledged", () => {
  const unacked = (text: string) => readUnacked(`[${text}, "", "celery"]`, 50);

  test.each([
    [message({ task: "a", id: "1", eta: "1970-01-01T00:01:40+00:00" }, []), 100],
    [message({ task: "a", id: "1", eta: "1970-01-01T02:01:40.500000+02:00" }, []), 100.5],
    [message({ task: "a", id: "1", eta: "1970-01-01T00:01:40" }, []), null],
    [message({ task: "a", id: "1", eta: null }, []), null],
    [message({}, { task: "a", id: "1", eta: "1970-01-01T00:01:40Z" }), 100],
  ])("%s is due at %s", (text, etaS) => {
    expect(unacked(text)).toEqual({ task: { name: "a", id: "1" }, etaS, deliveredS: 50 });
  });

  test("what is damaged is none", () => {
    expect([readUnacked("{", 0), readUnacked("[]", 0), readUnacked("[1]", 0)]).toEqual([null, null, null]);
  });

  const due = (id: string, etaS: number | null, deliveredS = 0) => ({
    task: { name: "a", id },
    etaS,
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
