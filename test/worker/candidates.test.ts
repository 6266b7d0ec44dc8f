import { describe, expect, test } from "vitest";
import { candidatesIn } from "../../src/worker/candidates.ts";
import { type FakeProcess, fakeProc, MASKS, SELF } from "./fake-proc.ts";

const SCRIPT = { pid: 20, words: ["python", "run.py"] };
const WORKER = ["python", "/venv/bin/celery", "-A", "app", "worker"];

const found = (...processes: readonly FakeProcess[]) =>
  candidatesIn(fakeProc([{ pid: 1, words: ["celery", "beat"] }, ...processes]), []);

test("a candidate has the number that it sees itself, and its words without secrets", () => {
  const words = ["python", "run.py", "--broker=redis://:pw@h/0"];
  expect(found({ ...SCRIPT, words, namespacePids: [20] })).toEqual([
    {
      pid: 20,
      parent: 1,
      innerPid: 20,
      startTicks: 5_000,
      words: "python run.py",
      isPython: true,
      isForked: false,
      saysWorker: false,
    },
  ]);
});

describe("candidates", () => {
  const pids = (...processes: readonly FakeProcess[]) => found(...processes).map(({ pid }) => pid);

  test.each<[string, FakeProcess]>([
    ["a fork of a script", { ...SCRIPT, isForked: true }],
    ["a fork of a worker's command line", { pid: 20, words: WORKER, isForked: true }],
    [
      "what multiprocessing has spawned",
      { pid: 20, words: ["python", "-c", "from multiprocessing.spawn import x"] },
    ],
    [
      "a title that begins with celery",
      { pid: 20, words: "celery-worker web", executable: "/usr/bin/python3.12" },
    ],
    ["a title that begins with python", { pid: 20, words: "python jobs", executable: "/usr/bin/python3.12" }],
    ["a title that is celery", { pid: 20, words: "celery", executable: "/usr/bin/python3.12" }],
    ["a title of Celery's that was cut off", { pid: 20, words: "[celeryd: w1@wo" }],
    ["a program of a command of its own", { pid: 20, words: ["celery", "-A", "app", "consume"] }],
    [
      "uWSGI, which has an interpreter in itself",
      { pid: 20, words: ["uwsgi"], executable: "/venv/bin/uwsgi" },
    ],
  ])("are %s", (_, process) => {
    expect(found(process)).toMatchObject([{ pid: 20, isPython: true }]);
  });

  test("are programs whose files may not be looked at", () => {
    const hidden = fakeProc([{ pid: 20, words: "jobs" }]);
    const link = (path: string) =>
      path.endsWith("/exe") ? ({ ok: false, problem: "forbidden" } as const) : hidden.link(path);
    expect(candidatesIn({ ...hidden, link }, [])).toContainEqual(
      expect.objectContaining({ pid: 20, isPython: null }),
    );
  });

  test.each<[string, FakeProcess]>([
    ["a pool process", { ...SCRIPT, ...MASKS.pool }],
    ["of another container", { ...SCRIPT, namespacePids: [20, 2] }],
    ["a zombie or the kernel's", { pid: 20 }],
    ["Flower", { pid: 20, words: ["celery", "flower"] }],
    ["a monitor", { pid: 20, words: ["python", "-m", "celery", "-A", "app", "events"] }],
    ["ourselves", { pid: SELF, words: ["python", "run.py"] }],
  ])("are none when they are %s", (_, process) => {
    expect(pids(process)).toEqual([]);
  });

  test("are none when they are known to be workers", () => {
    expect(candidatesIn(fakeProc([SCRIPT]), [SCRIPT]).map(({ pid }) => pid)).toEqual([1]);
  });

  test.each([
    ["celery-worker web", true],
    ["Celery: worker 1", true],
    ["worker: jobs", false],
  ])("say that they are workers by their titles: %s", (words, says) => {
    expect(found({ pid: 20, words })[0]?.saysWorker).toBe(says);
  });
});
