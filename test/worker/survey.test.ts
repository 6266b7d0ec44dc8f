import { describe, expect, test } from "vitest";
import { candidatesIn } from "../../src/worker/candidates.ts";
import type { ProcFiles } from "../../src/worker/proc-files.ts";
import { leftBeatIn } from "../../src/worker/embedded-beat.ts";
import { workerOfPidfile } from "../../src/worker/pidfile.ts";
import { survey, workerByPid, workerNode, type WorkerProcess } from "../../src/worker/survey.ts";
import { type FakeProcess, fakeProc, MASKS, SELF } from "./fake-proc.ts";

const WORKER = ["/venv/bin/python", "/venv/bin/celery", "-A", "app", "worker", "-n", "w1@%h"];
const TITLE = "[celeryd: w1@web:MainProcess] -active- (-A app worker -n w1@%h)";

const mains = (processes: readonly FakeProcess[]) =>
  survey(fakeProc(processes)).workers.map(({ pid }) => pid);

test("survey tells all of a worker when it is the container's first process", () => {
  const environment =
    "PATH=/bin\0CELERY_BROKER_URL=redis://b/0\0BROKER_URL=redis://a/0\0BROKER_URL=second\0SECRET=x\0CELERY_EMPTY=\0CELERY_ODD\0";
  expect(
    survey(
      fakeProc([
        { pid: 1, parent: 0, words: WORKER, environment, startTicks: 123, state: "R", namespacePids: [1] },
      ]),
    ),
  ).toEqual({
    visible: true,
    workers: [
      {
        pid: 1,
        startTicks: 123,
        command: expect.objectContaining({ name: "w1@%h", node: null }) as unknown,
        words: expect.stringContaining("celery") as unknown,
        foundBy: "command",
        environment: { CELERY_BROKER_URL: "redis://b/0", BROKER_URL: "redis://a/0", CELERY_EMPTY: "" },
        host: "ours",
        state: "R",
        innerPid: 1,
      },
    ],
    zombies: [],
    instead: null,
  });
});

describe("pool processes are no mains", () => {
  const pool: readonly FakeProcess[] = [
    { pid: 21, parent: 20, words: WORKER, ...MASKS.pool },
    { pid: 22, parent: 20, words: WORKER, ...MASKS.olderPool },
    { pid: 23, parent: 20, words: WORKER, ...MASKS.remappedPool },
  ];

  test("when their main is there", () => {
    expect(mains([...pool, { pid: 20, words: WORKER }])).toEqual([20]);
  });

  test("when one was forked this moment and still has its main's handlers", () => {
    expect(
      mains([
        { pid: 20, words: WORKER },
        { pid: 24, parent: 20, words: WORKER, isForked: true },
      ]),
    ).toEqual([20]);
  });

  test("when their main is gone", () => {
    expect(mains(pool.map((process) => ({ ...process, parent: 1 })))).toEqual([]);
  });

  test("when they were spawned", () => {
    const words = ["python", "-c", "from billiard.spawn import spawn_main; spawn_main()", "--billiard-fork"];
    expect(mains([{ pid: 21, words, ...MASKS.pool }])).toEqual([]);
  });

  test("when setproctitle names them", () => {
    const title = "[celeryd: w1@web:ForkPoolWorker-1]";
    expect(
      mains([
        { pid: 20, words: TITLE },
        { pid: 21, parent: 20, words: title, ...MASKS.pool },
      ]),
    ).toEqual([20]);
  });
});

test.each([
  ["imports", MASKS.importing],
  ["imports in the background of a shell", MASKS.importingInBackground],
  ["is ready", MASKS.main],
])("a main is one when it %s", (_, masks) => {
  expect(mains([{ pid: 20, words: WORKER, ...masks }])).toEqual([20]);
});

test("all workers are found when several run", () => {
  const other = [...WORKER.slice(0, -1), "w2@%h"];
  expect(
    mains([
      { pid: 30, words: other },
      { pid: 20, words: WORKER },
      { pid: 25, parent: 20, words: other },
    ]),
  ).toEqual([30, 20, 25]);
});

describe("a program with a worker's words", () => {
  const wrapper = { pid: 20, words: ["python", "-m", "reloader", "celery", "-A", "app", "worker"] };

  test("is a wrapper when a worker is among its descendants", () => {
    const shell = { pid: 21, parent: 20, words: ["sh", "-c", "celery worker"] };
    expect(mains([wrapper, shell, { pid: 22, parent: 21, words: WORKER }])).toEqual([22]);
  });

  test("is a wrapper when the one below has doubts as well", () => {
    expect(
      mains([wrapper, { pid: 22, parent: 20, words: ["python", "manage.py", "celery", "worker"] }]),
    ).toEqual([22]);
  });

  test("is a worker when it has only children of its own pool, or a worker runs beside it", () => {
    expect(mains([wrapper, { ...wrapper, pid: 21, parent: 20, ...MASKS.pool }])).toEqual([20]);
    expect(mains([wrapper, { pid: 22, words: WORKER }])).toEqual([20, 22]);
  });

  test("is a worker when a task of it has started another", () => {
    expect(
      mains([
        { pid: 20, words: WORKER },
        { pid: 22, parent: 20, words: ["celery", "worker"] },
        { ...wrapper, parent: 22, pid: 23 },
      ]),
    ).toEqual([20, 22, 23]);
  });

  test("is looked at only once when the tree changes into a circle", () => {
    const circle = [
      { pid: 30, parent: 31, words: ["sh"] },
      { pid: 31, parent: 30, words: ["sh"] },
    ];
    expect(mains([wrapper, ...circle, { pid: 22, parent: 30, words: WORKER }])).toEqual([20, 22]);
  });
});

describe("other containers' processes", () => {
  const foreign = { pid: 500, words: WORKER, namespacePids: [500, 1] };

  test("are left out everywhere when they lie in deeper namespaces than ours", () => {
    const beat = { pid: 501, words: ["celery", "beat"], namespacePids: [501, 2] };
    const zombie = { pid: 502, state: "Z", comm: "celery", namespacePids: [502, 3] };
    expect(survey(fakeProc([foreign, beat, zombie]))).toMatchObject({
      workers: [],
      zombies: [],
      instead: null,
    });
    expect(workerByPid(fakeProc([foreign]), 500, "pidfile")).toBeNull();
  });

  test("are ours when we are as deep, seen through the machine's /proc", () => {
    const status = `NSpid:\t${SELF}\t9\n`;
    const proc = fakeProc([foreign], { [`/proc/${SELF}/status`]: `Name:\tcelery-probe\n${status}` });
    expect(survey(proc).workers).toMatchObject([{ pid: 500, innerPid: 1 }]);
  });

  test("cannot be told apart when the kernel has no NSpid", () => {
    const status = "Name:\tpython\nSigIgn:\t0000000001001000\nSigCgt:\t0000000000004207\n";
    expect(
      survey(fakeProc([{ pid: 20, words: WORKER }], { "/proc/20/status": status })).workers,
    ).toMatchObject([{ pid: 20, innerPid: 20 }]);
  });
});

describe("visible is false", () => {
  test("when there is no /proc", () => {
    const proc: ProcFiles = { ...fakeProc([]), pids: () => null };
    expect(survey(proc)).toEqual({ visible: false, workers: [], zombies: [], instead: null });
  });

  test("when init is not in the list (hidepid=2)", () => {
    const proc: ProcFiles = { ...fakeProc([]), pids: () => [SELF] };
    expect(survey(proc).visible).toBe(false);
  });

  test("when init may not be read (hidepid=1)", () => {
    expect(survey(fakeProc([], { "/proc/1/cmdline": null })).visible).toBe(false);
  });
});

test("visible is true when init can be read, or we are it", () => {
  expect(survey(fakeProc([])).visible).toBe(true);
  expect(survey({ ...fakeProc([]), self: 1 }).visible).toBe(true);
});

test("our own process is nowhere when it looks like a worker", () => {
  const proc: ProcFiles = { ...fakeProc([{ pid: 20, words: WORKER }]), self: 20 };
  expect(survey(proc)).toMatchObject({ workers: [] });
  expect(workerByPid(proc, 20, "pidfile")).toBeNull();
});

describe("zombies", () => {
  const zombies: readonly FakeProcess[] = [
    { pid: 20, state: "Z", comm: "celery" },
    { pid: 21, state: "Z", comm: "python3.11" },
    { pid: 22, state: "Z", comm: "[celeryd: w1@we" },
    { pid: 23, state: "Z", comm: "sh" },
    { pid: 24, state: "I", comm: "kworker/u8:0-celery" },
    { pid: 25, state: "Z", comm: "a) Z (celery" },
  ];

  test("are told by their names when there is no worker", () => {
    expect(survey(fakeProc(zombies)).zombies).toEqual([20, 21, 22, 25]);
  });

  test("are not looked for when there is a worker", () => {
    const proc = fakeProc([...zombies, { pid: 30, words: WORKER }]);
    expect(survey(proc).zombies).toEqual([]);
    expect(proc.reads.filter((path) => path.startsWith("/proc/2"))).toEqual(
      [20, 21, 22, 23, 24, 25].map((pid) => `/proc/${pid}/cmdline`),
    );
  });
});

test("survey reads one file of a process when it is no candidate", () => {
  const proc = fakeProc([
    { pid: 20, words: WORKER },
    { pid: 21, words: ["redis-server"] },
  ]);
  survey(proc);
  expect(proc.reads.sort()).toEqual([
    "/proc/1/cmdline",
    "/proc/20/cmdline",
    "/proc/20/environ",
    "/proc/20/stat",
    "/proc/20/status",
    "/proc/21/cmdline",
    `/proc/${SELF}/status`,
  ]);
});

test.each([
  ["may not be read", null],
  ["was written over by setproctitle", "\0".repeat(254)],
])("the environment is null when it %s", (_, environment) => {
  expect(survey(fakeProc([{ pid: 20, words: TITLE, environment }])).workers).toMatchObject([
    { pid: 20, foundBy: "title", environment: null },
  ]);
});

test("a process that ends while it is looked at is left out", () => {
  const proc = fakeProc([{ pid: 20, words: WORKER }]);
  const ending: ProcFiles = {
    ...proc,
    read: (path) => (path === "/proc/20/status" ? { ok: false, problem: "gone" } : proc.read(path)),
  };
  expect(survey(ending).workers).toEqual([]);
  expect(workerByPid(ending, 20, "pidfile")).toBeNull();
});

describe("workerByPid", () => {
  const byPid = (process: Omit<FakeProcess, "pid">) =>
    workerByPid(fakeProc([{ pid: 20, ...process }]), 20, "pidfile");

  test("takes a program when nothing of it says that it is a worker", () => {
    expect(
      byPid({
        words: ["python", "run.py"],
        environment: "CELERY_WORKER_HOSTNAME=w3\0CELERY_BROKER=x\0BROKER_URL=y\0",
      }),
    ).toMatchObject({
      pid: 20,
      foundBy: "pidfile",
      command: { name: null },
      environment: { BROKER_URL: "y" },
    });
    expect(byPid({ words: ["/opt/frozen-worker"] })).not.toBeNull();
  });

  test("reads the command line when it is a worker's, also of one that went into the background", () => {
    expect(byPid({ words: WORKER })?.command.name).toBe("w1@%h");
    expect(byPid({ words: WORKER, isForked: true })?.command.name).toBe("w1@%h");
  });

  test("gives a zombie when the worker has ended and nobody has waited for it", () => {
    expect(byPid({ state: "Z" })?.state).toBe("Z");
  });

  test("is null when the process is a pool's, a kernel thread or gone", () => {
    expect(byPid({ words: ["python", "run.py"], ...MASKS.pool })).toBeNull();
    expect(byPid({ words: "[celeryd: w1@web:ForkPoolWorker-1]" })).toBeNull();
    expect(byPid({ state: "I" })).toBeNull();
    expect(workerByPid(fakeProc([]), 20, "connections")).toBeNull();
  });
});

test.each<[string, Pick<FakeProcess, "words" | "environment">, string]>([
  ["its title has it", { words: TITLE }, "w1@web"],
  ["-n gives it", { words: WORKER, environment: "CELERY_WORKER_HOSTNAME=w3\0" }, "w1@host"],
  [
    "its environment gives it",
    { words: ["celery", "worker"], environment: "CELERY_WORKER_HOSTNAME=w3\0" },
    "celery@w3",
  ],
  ["only our environment can be read", { words: ["celery", "worker"], environment: null }, "ours@host"],
  ["its environment has none", { words: ["celery", "worker"], environment: "A=b\0" }, "celery@host"],
])("workerNode is the full name when %s", (_, process, node) => {
  const [worker] = survey(fakeProc([{ pid: 20, ...process }])).workers as readonly [WorkerProcess];
  expect(workerNode(worker, "host", { CELERY_WORKER_HOSTNAME: "ours@%h" })).toBe(node);
});

describe("workerNode of a worker in another container, whose processes are in sight", () => {
  const beside = (environment: string | null, uts: string) => {
    const proc = fakeProc([{ pid: 20, words: ["celery", "worker"], environment }]);
    const links: Record<string, string> = { "/proc/self/ns/uts": "uts:[1]", "/proc/20/ns/uts": uts };
    const link = (path: string) => {
      const value = links[path];
      return value === undefined ? proc.link(path) : ({ ok: true, value } as const);
    };
    const [worker] = survey({ ...proc, link }).workers;
    return worker === undefined ? null : workerNode(worker, "ours", {});
  };
  test.each([
    ["its own host name when that is in its environment", "HOSTNAME=its\0", "uts:[2]", "celery@its"],
    ["our host name when it shares it", "HOSTNAME=its\0", "uts:[1]", "celery@ours"],
    ["our host name when its own is not told", "A=b\0", "uts:[2]", "celery@ours"],
    ["our host name when its environment may not be read", null, "uts:[2]", "celery@ours"],
  ])("has %s", (_, environment, uts, node) => {
    expect(beside(environment, uts)).toBe(node);
  });
});

describe("survey, of processes that are alike,", () => {
  test("takes what was forked for no main when the main is gone: its beat, a task's own process", () => {
    const orphan = { pid: 21, words: WORKER, isForked: true };
    expect(mains([orphan])).toEqual([]);
  });

  test("takes the inner one for the main when a reloader has started it with its own command line", () => {
    expect(
      mains([
        { pid: 20, words: WORKER },
        { pid: 21, parent: 20, words: WORKER },
      ]),
    ).toEqual([21]);
  });
});

test.each([
  [["celery", "-A", "app", "beat"], "beat"],
  [["python", "-m", "celery", "-A", "app", "flower", "--port=5555"], "flower"],
  ["[celery beat] (-A app)", "beat"],
])("survey tells what runs instead of a worker: %s", (words, what) => {
  expect(survey(fakeProc([{ pid: 20, words }])).instead).toEqual({ pid: 20, what });
});

/** What a killed worker has left, by its command line. */
const left = (process: Partial<FakeProcess>): FakeProcess => ({
  pid: 20,
  words: ["celery", "worker", "-P", "solo", "-B"],
  isForked: true,
  ...process,
});

describe("the beat that a worker (-B) has left", () => {
  test.each<[string, Partial<FakeProcess>, boolean]>([
    ["is what its command line shows", {}, true],
    ["is what its title shows", { words: "[celery beat]" }, true],
    [
      "is what its variable shows",
      { words: ["celery", "worker"], environment: "CELERY_WORKER_BEAT=1\0" },
      true,
    ],
    ["is no worker that was started", { isForked: false }, false],
    ["is no process of a pool", MASKS.pool, false],
    ["is no worker that a task may have forked", { words: ["celery", "worker"] }, false],
    [
      "is no worker that a script has forked",
      { words: ["python", "manage.py", "celery", "worker", "-B"] },
      false,
    ],
  ])("%s", (_, process, isLeft) => {
    const proc = fakeProc([left(process)]);
    expect(leftBeatIn(proc)).toBe(isLeft ? 20 : null);
    if (isLeft) expect(candidatesIn(proc, []).map(({ pid }) => pid)).toEqual([1]);
  });

  test("does not count beside its worker", () => {
    const proc = fakeProc([
      { pid: 10, words: ["celery", "worker", "-P", "solo", "-B"] },
      left({ parent: 10 }),
    ]);
    expect(leftBeatIn(proc)).toBeNull();
  });
});

describe("workerOfPidfile", () => {
  test.each<[string, FakeProcess, unknown]>([
    ["a worker", { pid: 20, words: WORKER }, { foundBy: "pidfile" }],
    ["a script, which may be one", { pid: 20, words: ["python", "run.py"] }, { foundBy: "pidfile" }],
    ["a beat", { pid: 20, words: ["celery", "beat"] }, { what: "beat" }],
    ["a beat that was left", left({}), { what: "left-beat" }],
    ["Flower", { pid: 20, words: ["celery", "flower"] }, { what: "flower" }],
    ["another command of Celery's", { pid: 20, words: ["celery", "inspect", "ping"] }, { what: "another" }],
    ["another program", { pid: 20, words: ["sleep", "9"] }, { what: "another", words: "sleep 9" }],
    ["a process of a pool", { pid: 20, words: WORKER, ...MASKS.pool }, { what: "another" }],
    ["an ended worker", { pid: 20, state: "Z", executable: "" }, { state: "Z" }],
  ])("gives %s", (_, process, expected) => {
    expect(workerOfPidfile(fakeProc([process]), 20)).toMatchObject({ pid: 20, ...(expected as object) });
  });

  test("believes an executable that has Python in it", () => {
    const packed = { pid: 20, words: ["/app/run"], executable: "/app/run" };
    const maps = { "/proc/20/maps": "7f00-7f01 r-xp 0 0 0 /tmp/_MEI1/libpython3.12.so.1.0\n" };
    expect(workerOfPidfile(fakeProc([packed], maps), 20)).toMatchObject({ foundBy: "pidfile" });
    expect(workerOfPidfile(fakeProc([packed]), 20)).toMatchObject({ what: "another" });
  });

  test("believes what may not be looked at", () => {
    const hidden = { pid: 20, words: ["/app/run"], executable: "/app/run" };
    const proc = fakeProc([hidden], { "/proc/20/maps": null });
    expect(workerOfPidfile(proc, 20)).toMatchObject({ foundBy: "pidfile" });
  });

  test.each<[string, FakeProcess]>([
    ["nobody", { pid: 21 }],
    ["the kernel's", { pid: 20 }],
    ["one of another container", { pid: 20, words: WORKER, namespacePids: [20, 1] }],
  ])("gives none for %s", (_, process) => {
    expect(workerOfPidfile(fakeProc([process]), 20)).toBeNull();
  });
});
