import { describe, expect, test } from "vitest";
import { gossips, graceOf, poolOf, queuesOf, slotsOf } from "../../src/celery/worker-settings.ts";
import { survey, type WorkerProcess } from "../../src/worker/survey.ts";
import { fakeProc } from "../worker/fake-proc.ts";

/** A worker with these options and this environment, `null` being one that may not be read. */
function worker(options: readonly string[], environment: string | null = ""): WorkerProcess {
  const words = ["python", "/venv/bin/celery", "-A", "app", "worker", ...options];
  const [found] = survey(fakeProc([{ pid: 12, words, environment }])).workers;
  if (found === undefined) throw new Error("no worker");
  return found;
}

const minutes = (number: number) => number * 60_000;

describe("the grace", () => {
  test.each<[string, number | null, readonly string[], string | null, number]>([
    ["five minutes by default", null, [], "", minutes(5)],
    ["the user's value", 1_000, ["--time-limit=3600"], "", 1_000],
    ["the hard limit and a minute if that is longer", null, ["--time-limit=3600"], "", minutes(61)],
    ["five minutes if the hard limit is shorter", null, ["--time-limit=30"], "", minutes(5)],
    ["a limit of its variable", null, [], "CELERY_WORKER_TIME_LIMIT=3600\0", minutes(61)],
    ["a limit of an image's variable", null, [], "CELERY_TASK_TIME_LIMIT=3600\0", minutes(61)],
    ["a limit of another image's variable", null, [], "CELERY_TASK_HARD_TIME_LIMIT=3600\0", minutes(61)],
    [
      "the command line's if both are set",
      null,
      ["--time-limit=900"],
      "CELERY_WORKER_TIME_LIMIT=3600\0",
      minutes(16),
    ],
    [
      "the longest limit of two sources, because either may be in effect",
      null,
      [],
      "CELERY_TASK_HARD_TIME_LIMIT=7200\0CELERY_WORKER_TIME_LIMIT=3600\0",
      minutes(121),
    ],
    ["five minutes if the variable is not a number", null, [], "CELERY_TASK_TIME_LIMIT=1h\0", minutes(5)],
    [
      "five minutes for solo, which enforces no limit",
      null,
      ["-P", "solo", "--time-limit=3600"],
      "",
      minutes(5),
    ],
    [
      "five minutes for solo by its variable",
      null,
      ["--time-limit=3600"],
      "CELERY_WORKER_POOL=solo\0",
      minutes(5),
    ],
  ])("is %s", (_, given, options, environment, ms) => {
    expect(graceOf(given, worker(options, environment), {})).toBe(ms);
  });

  test("is read from our environment only if the worker's may not be read", () => {
    const env = { CELERY_TASK_TIME_LIMIT: "3600" };
    expect(graceOf(null, worker([], null), env)).toBe(minutes(61));
    expect(graceOf(null, worker([]), env)).toBe(minutes(5));
  });
});

test.each<[readonly string[], string | null, string | null]>([
  [[], "", null],
  [["-P", "gevent"], "CELERY_WORKER_POOL=solo\0", "gevent"],
  [[], "CELERY_WORKER_POOL=solo\0", "solo"],
  [[], "CELERY_WORKER_POOL=\0", null],
  [[], null, "ours"],
])("the pool with %j and %j is %s", (options, environment, pool) => {
  expect(poolOf(worker(options, environment), { CELERY_WORKER_POOL: "ours" })).toBe(pool);
});

test.each<[readonly string[], string | null, number, number | null]>([
  [["-c", "4"], "CELERY_WORKER_CONCURRENCY=8\0", 2, 4],
  [[], "CELERY_WORKER_CONCURRENCY=8\0", 2, 8],
  [[], "CELERY_WORKER_CONCURRENCY=auto\0", 2, 2],
  [[], "", 2, 2],
  [[], "", 0, null],
  [[], null, 2, 16],
])("the slots with %j, %j and %d children are %s", (options, environment, children, slots) => {
  expect(slotsOf(worker(options, environment), children, { CELERY_WORKER_CONCURRENCY: "16" })).toBe(slots);
});

test.each<[readonly string[], string | null, readonly string[] | null]>([
  [["-Q", "a,b"], "CELERY_WORKER_QUEUES=c\0", ["a", "b"]],
  [[], "CELERY_WORKER_QUEUES=c,d\0", ["c", "d"]],
  // Celery takes a blank for a part of the name (celery/utils/text.py, str_to_list), so that it shall not be cut off.
  [[], "CELERY_WORKER_QUEUES=c, d\0", ["c", " d"]],
  [["-Q", "a, b"], "", ["a", " b"]],
  [[], "CELERY_WORKER_QUEUES=\0", null],
  [[], "", null],
  [[], null, ["ours"]],
])("the queues with %j and %j are %j", (options, environment, queues) => {
  expect(queuesOf(worker(options, environment), { CELERY_WORKER_QUEUES: "ours" })).toEqual(queues);
});

test.each<[string, WorkerProcess, boolean]>([
  ["gossips by default", worker([]), true],
  ["does not gossip when its command line says so", worker(["--without-gossip"]), false],
  ["does not gossip when its variable says so", worker([], "CELERY_WORKER_WITHOUT_GOSSIP=1\0"), false],
  ["does not gossip when its command line is not known", { ...worker([]), foundBy: "connections" }, false],
])("a worker %s", (_, one, expected) => {
  expect(gossips(one, {})).toBe(expected);
});
