import { expect, test } from "vitest";
import { judgeBeat } from "../../src/beat/beat-verdict.ts";
import { type BeatBroker, type BeatPlan, lookAtBeats } from "../../src/beat/look-at-beats.ts";
import type { Files } from "../../src/machine/parts.ts";
import { failure } from "../../src/outcome.ts";
import { fakeHost } from "../health/fake-host.ts";
import { type FakeProcess, fakeProc, MASKS } from "../worker/fake-proc.ts";

const PLAN: BeatPlan = {
  maxAgeS: null,
  settings: { schedule: null, scheduler: null, filename: null },
  lock: { kind: "default" },
  named: null,
  isInside: true,
};

const NO_FILES = { look: () => failure("gone") } as Partial<Files> as Files;

const FROZEN = {
  "/proc/12/cgroup": "0::/c1\n",
  "/sys/fs/cgroup/c1/cgroup.events": "populated 1\nfrozen 1\n",
};

/** What is said of a beat whose process is in this state at first, and after 100 ms. */
async function said(states: readonly [string, string], files: Readonly<Record<string, string>> = {}) {
  const proc = (time: number) => {
    const words = ["python", "/venv/bin/celery", "beat"];
    return fakeProc([{ pid: 12, words, state: states[time < 100 ? 0 : 1] }], {
      "/proc/uptime": "1000.00 0.00\n",
      ...files,
    });
  };
  const host = { ...fakeHost({ proc }), files: () => Promise.resolve(NO_FILES) };
  const evidence = await lookAtBeats(host, PLAN, () => Promise.resolve(null));
  return { reason: judgeBeat(evidence).reason, tookMs: host.now() - 30 };
}

test.each<[string, readonly [string, string], Readonly<Record<string, string>>, string]>([
  ["is stopped when a signal stopped it", ["T", "T"], {}, "stopped"],
  ["is stopped when its group is frozen", ["S", "S"], FROZEN, "stopped"],
  ["runs when a debugger holds it", ["t", "t"], {}, "running"],
  ["runs when it goes on after a moment", ["T", "S"], {}, "running"],
])("a beat %s", async (_, states, files, reason) => {
  expect((await said(states, files)).reason).toBe(reason);
});

test("a running beat costs no wait", async () => {
  expect((await said(["S", "S"])).tookMs).toBe(0);
});

const BEAT = { pid: 12, words: ["python", "/venv/bin/celery", "beat"] };
const WORKER = { pid: 12, words: ["python", "/venv/bin/celery", "worker", "-B"] };
const TITLE = "[celeryd: celery@web-1:MainProcess] -active- (worker -B)";
const FORK = { ...WORKER, pid: 20, parent: 12, isForked: true };
const POOL = { ...FORK, ...MASKS.pool, pid: 19 };
const SLEEP = { pid: 12, words: ["sleep", "9"], executable: "/usr/bin/sleep" };
const PACKED = { pid: 12, words: ["/app/beat"], executable: "/app/beat" };

/** When these processes were started, in seconds since 1970, and how old they are. */
const STARTED_S = 9_050;
const AGE_S = 950;

/** What is said of these processes by the verdict, and of what was looked at. */
async function look(processes: readonly FakeProcess[], more: Partial<BeatPlan> = {}, broker?: BeatBroker) {
  const maps = { "/proc/12/maps": "7f00 /tmp/_MEI/libpython3.12.so\n" };
  const proc = fakeProc(processes, {
    "/proc/uptime": "1000.00 0.00\n",
    ...(processes[0] === PACKED ? maps : {}),
  });
  const host = {
    ...fakeHost({ proc: () => proc, epochSeconds: STARTED_S + AGE_S }),
    files: () => Promise.resolve(NO_FILES),
  };
  const evidence = await lookAtBeats(host, { ...PLAN, ...more }, () => Promise.resolve(broker ?? null));
  return { evidence, reason: judgeBeat(evidence).reason };
}

const named = (writtenS: number | null = STARTED_S) => ({ named: { pid: 12, writtenS } });

test.each<[string, FakeProcess, string]>([
  ["a beat", BEAT, "running"],
  ["a beat with its title", { pid: 12, words: "[celery beat] -A app beat" }, "running"],
  ["a worker with -B", WORKER, "ended"],
  ["a script", { pid: 12, words: ["python", "run.py"] }, "running"],
  ["an application that contains Python", PACKED, "running"],
  ["another program", SLEEP, "no-beat"],
  ["a worker without -B", { pid: 12, words: ["celery", "worker"] }, "no-beat"],
  ["a pool's process", { pid: 12, words: "[celeryd: celery@web-1:ForkPoolWorker-1]" }, "no-beat"],
  ["Flower", { pid: 12, words: ["celery", "flower"] }, "no-beat"],
  ["a kernel thread", { pid: 12, executable: "" }, "no-beat"],
  ["a zombie", { pid: 12, state: "Z" }, "no-beat"],
  ["a beat of another container", { ...BEAT, namespacePids: [12, 1] }, "no-beat"],
])("a pid file that names %s", async (_, process, reason) => {
  expect((await look([process], named())).reason).toBe(reason);
});

test.each([
  [STARTED_S - 1, "running"],
  [STARTED_S - 3, "unrecognised"],
  [null, "running"],
])("a script whose pid is in a pid file written at %s", async (writtenS, reason) => {
  expect((await look([{ pid: 12, words: ["python", "run.py"] }], named(writtenS))).reason).toBe(reason);
});

test.each<[string, readonly FakeProcess[], string]>([
  ["runs beside its pool", [WORKER, POOL, FORK], "running"],
  ["has ended", [WORKER, POOL], "ended"],
  [
    "has not begun, because the application is being imported",
    [{ ...WORKER, ...MASKS.importing }],
    "running",
  ],
  ["is stopped", [WORKER, { ...FORK, state: "T" }], "stopped"],
  [
    "is spawned",
    [WORKER, { ...FORK, isForked: false, words: ["python", "-c", "from billiard.spawn import"] }],
    "running",
  ],
  [
    "has its title",
    [
      { ...WORKER, words: TITLE },
      { ...FORK, words: "[celery beat]" },
    ],
    "running",
  ],
  [
    "shows only by its title",
    [
      { ...WORKER, words: TITLE.replace("-B", "-E") },
      { ...FORK, words: "[celery beat]" },
    ],
    "running",
  ],
  ["is left behind by its worker", [{ ...FORK, parent: 1 }], "left-behind"],
  [
    "is left behind by its worker, with its title",
    [{ ...FORK, parent: 1, words: "[celery beat]" }],
    "left-behind",
  ],
  [
    "is left behind, beside the beat of a new worker",
    [WORKER, FORK, { ...FORK, pid: 30, parent: 1 }],
    "several-beats",
  ],
  [
    "is set by a variable that no process reads",
    [{ ...WORKER, words: ["celery", "worker"], environment: "CELERY_WORKER_BEAT=1\0" }],
    "no-beat",
  ],
  [
    "is set by a variable",
    [{ ...WORKER, words: ["celery", "worker"], environment: "CELERY_WORKER_BEAT=1\0" }, FORK],
    "running",
  ],
  ["runs in the background without a worker", [{ ...BEAT, isForked: true }], "running"],
  [
    "runs in the background without a worker, with its title",
    [{ pid: 12, isForked: true, words: "[celery beat] -A app beat" }],
    "running",
  ],
])("a beat that %s", async (_, processes, reason) => {
  expect((await look(processes)).reason).toBe(reason);
});

test("a stopped child of a worker is found and named", async () => {
  const { evidence } = await look([WORKER, POOL, { ...FORK, state: "T" }]);
  expect(evidence.only?.haltedPid).toBe(20);
});

test("the first fork outside the pool is the beat", async () => {
  const later = { ...FORK, pid: 15, startTicks: 6_000, state: "T" };
  expect((await look([WORKER, later, FORK])).reason).toBe("running");
});

/** A UUID of version 1 of so many seconds since 1970. */
function token(epochS: number): string {
  const time = (BigInt(Math.round(epochS * 1e7)) + 0x01b21dd213814000n).toString(16).padStart(15, "0");
  return `${time.slice(7)}${time.slice(3, 7)}1${time.slice(0, 3)}bdc002fc00000001`;
}

test.each<[string, string | null, number | null, object, string]>([
  ["by itself", token(STARTED_S + 1), 10, {}, "running"],
  ["by another, which renews it", token(STARTED_S - 1), 900, {}, "waiting"],
  ["by another, which does not", token(STARTED_S - 1), 899, {}, "lock-left"],
  ["by another, for longer than the known settings say", token(STARTED_S - 1), 1_501, {}, "waiting"],
  ["by another, forever", token(STARTED_S - 1), null, {}, "waiting"],
  [
    "by another, for the time that workers tell",
    token(STARTED_S - 1),
    899,
    { lockTimeoutS: 1_000 },
    "waiting",
  ],
  [
    "by another, which sleeps for the time that workers tell",
    token(STARTED_S - 1),
    29,
    { maxIntervalS: 10 },
    "lock-left",
  ],
  ["by an unknown holder", "a word", 1, {}, "running"],
  ["and its value may not be read", null, 1, {}, "running"],
])("redbeat's lock is held %s", async (_, value, ttlS, told, reason) => {
  const broker: BeatBroker = {
    answers: () => Promise.resolve(null),
    lock: () => Promise.resolve({ ttlS, token: value }),
    settings: () =>
      Promise.resolve({
        ...{ scheduler: null, filename: null, lock: { kind: "hidden" }, maxIntervalS: null },
        ...{ lockTimeoutS: null, entries: null, ...told },
      }),
  };
  const words = [...BEAT.words, "-S", "redbeat.RedBeatScheduler"];
  expect((await look([{ ...BEAT, words }], {}, broker)).reason).toBe(reason);
});
