import { describe, expect, test } from "vitest";
import { gather } from "../../src/health/check.ts";
import type { Evidence } from "../../src/health/evidence.ts";
import { conclude } from "../../src/health/judge.ts";
import { type Broker, brokerWith, fakeHost, reply } from "./fake-host.ts";
import { listing, POLLING, procWith, SILENT, WORKER } from "./fake-worker.ts";
import { planned } from "./planned.ts";

const HELD = procWith([{ ...WORKER, connections: 3 }]);
const answers = () => [reply("celery@web-1", "uuid-1")];
const nobodyAnswers = brokerWith(1, () => [], { tell: listing(() => POLLING) });

async function examined(fake: Parameters<typeof fakeHost>[0]) {
  const host = fakeHost({ broker: nobodyAnswers, proc: () => HELD, ...fake });
  const plan = planned(host);
  const evidence = await gather(plan, host);
  const verdict = conclude(evidence, plan.rules);
  return { host, plan, evidence, verdict, endedMs: host.now() };
}

/** A broker with a worker that has been silent for so long, in seconds. */
const blocked = (idle: number, age = 900) =>
  brokerWith(1, () => [], {
    tell: listing((time) => SILENT.map((row) => ({ ...row, idle: idle + Math.floor(time / 1_000), age }))),
  });

const looksOf = (evidence: Evidence) => evidence.nodes[0]?.looks ?? [];

describe("the looks", () => {
  test("do not begin, nor a second connection, when the worker answers at once", async () => {
    const proc = procWith([{ ...WORKER, connections: 3 }]);
    const host = fakeHost({ broker: brokerWith(1, answers), proc: () => proc });
    const plan = planned(host);
    proc.reads.length = 0;
    const evidence = await gather(plan, host);
    expect(evidence).toMatchObject({
      nodes: [{ process: { kind: "unexamined" }, looks: [], heartbeats: { kind: "not-listened" } }],
      brokerUpS: null,
      unacked: null,
    });
    expect(proc.reads).toEqual([]);
    expect(host.listeners).toEqual([]);
    expect(host.writes.flat().map(([name]) => name)).not.toContain("CLIENT");
  });

  test("do not begin when the answer is there by the time that they would", async () => {
    const broker = brokerWith(1, (time) => (time < 232 ? [] : answers()));
    const { evidence, host } = await examined({ broker });
    expect(evidence).toMatchObject({ asking: { pongs: [{ node: "celery@web-1" }] }, nodes: [{ looks: [] }] });
    expect(host.now()).toBeGreaterThanOrEqual(232);
    expect(host.listeners).toEqual([]);
  });

  test("begin when a worker has not answered for 200 ms, and go on while it is waited for", async () => {
    const { evidence } = await examined({});
    const [first = 0, ...rest] = looksOf(evidence).map(({ atMs }) => atMs);
    expect(first).toBeGreaterThanOrEqual(232);
    expect(first).toBeLessThan(262);
    expect(rest.map((atMs) => Math.round(atMs - first))).toEqual([120, 1_250, 2_350, 3_450]);
    expect(evidence.asking).toMatchObject({ pings: 3, over: true });
  });

  test.each([
    ["nobody is subscribed", brokerWith(0, () => []), HELD],
    ["the worker was stopped before", nobodyAnswers, procWith([{ ...WORKER, state: "T" }])],
    ["the worker is a zombie", nobodyAnswers, procWith([{ ...WORKER, state: "Z" }])],
  ])("begin at once when %s", async (_, broker: Broker, proc) => {
    const { evidence } = await examined({ broker, proc: () => proc });
    expect(looksOf(evidence)[0]?.atMs).toBeLessThan(40);
  });

  test("begin never when everybody is asked", async () => {
    const { host, evidence } = await examined({ argv: ["--any"] });
    expect(evidence).toMatchObject({ nodes: [], brokerUpS: null });
    expect(host.listeners).toEqual([]);
  });

  test("see what the process, the broker's list and its heartbeats show", async () => {
    const { host, evidence, verdict } = await examined({ env: { CELERY_WORKER_POOL: "solo" } });
    expect(evidence).toMatchObject({ brokerUpS: 86_400, unacked: 0 });
    expect(evidence.nodes).toMatchObject([
      {
        node: "celery@web-1",
        process: { kind: "seen", pid: 12, startTicks: 5_000, foundBy: "command", graceMs: 300_000 },
        heartbeats: { kind: "listened", own: null, namesake: null },
        silentSinceS: null,
      },
    ]);
    expect(looksOf(evidence).at(-1)).toMatchObject({
      process: { state: "running", ageMs: 950_000 },
      connections: { kind: "known", by: "socket", rows: [{ command: "brpop" }, {}, {}] },
    });
    expect(verdict).toMatchObject({ status: "healthy", reason: "deaf", shownBy: "polling" });
    expect(host.writes.flat()).toContainEqual(["HLEN", "unacked"]);
    expect(host.listeners).toEqual([
      {
        open: false,
        topics: {
          broad: ["*celeryev/worker.heartbeat", "*.celeryev"],
          exact: ["/0.celeryev/worker.heartbeat", "/0.celeryev"],
        },
      },
    ]);
  });

  test("ask for the unacknowledged deliveries behind the prefix when there is one", async () => {
    const { host } = await examined({ argv: ["--global-keyprefix=gp:"] });
    expect(host.writes.flat()).toContainEqual(["HLEN", "gp:unacked"]);
  });

  test("are of the process alone when the broker shows nothing", async () => {
    const { evidence } = await examined({ broker: brokerWith(1, () => []) });
    expect(evidence).toMatchObject({ brokerUpS: null, unacked: null });
    expect(looksOf(evidence).at(-1)?.connections).toEqual({
      kind: "unknown",
      because: "client-list-refused",
      established: true,
      elsewhere: [],
    });
  });
});

/** Redis takes the difference of two moments by a clock that anybody can set; by 10 min each time. */
describe("a server whose clock is set while a worker is blocked", () => {
  const YOUNG = procWith([{ ...WORKER, connections: 3 }], { "/proc/uptime": "70.00 0.00\n" });
  const OLD = HELD;

  test.each([
    ["20 s old is busy when it was set forward", YOUNG, 615, 617, { measured: "connections", forS: 20 }],
    ["20 s old is busy when it was set back", YOUNG, -583, -581, { measured: "connections", forS: 20 }],
    ["of some age is busy when it was set forward", OLD, 617, 1_545, { measured: "not" }],
    ["of some age is busy when it was set back", OLD, -583, 345, { measured: "not" }],
    ["of some age is busy when it was set back and forward", OLD, 615, 20, { measured: "not" }],
    ["is busy when it has been silent for less", OLD, 200, 945, { measured: "connections", forS: 200 }],
  ])("one %s", async (_, proc, idle, age, expected) => {
    const { verdict } = await examined({ broker: blocked(idle, age), proc: () => proc });
    expect(verdict).toMatchObject({ status: "healthy", reason: "busy", ...expected });
  });

  test("one is hung when it has been silent for longer than the grace and the jump", async () => {
    const { verdict } = await examined({ broker: blocked(920, 1_045), proc: () => OLD });
    expect(verdict).toMatchObject({ reason: "hung", measured: "connections" });
  });

  test("one is measured by the state file as soon as there is one", async () => {
    const note = JSON.stringify({ schema: 2, silent_since: { "celery@web-1 12 5000": 990 } });
    const proc = procWith([{ ...WORKER, connections: 3 }], { "/state": note });
    const { verdict } = await examined({
      argv: ["--state-file=/state"],
      broker: blocked(617, 900),
      proc: () => proc,
    });
    expect(verdict).toMatchObject({ reason: "busy", measured: "state-file", forS: 10 });
  });
});

test("a worker that goes on between two looks has been silent since then, not since it wrote last", async () => {
  const stopped = procWith([{ ...WORKER, connections: 3, state: "T" }]);
  const { verdict } = await examined({
    broker: blocked(800),
    proc: (time) => (time < 80 ? stopped : HELD),
  });
  expect(verdict).toMatchObject({ status: "healthy", reason: "busy", measured: "connections", forS: 2 });
});

test("a worker whose container was paused for most of its silence is not hung", async () => {
  const files = {
    "/proc/12/cgroup": "0::/\n",
    "/sys/fs/cgroup/cgroup.stat.local": "frozen_usec 790000000\n",
  };
  const proc = procWith([{ ...WORKER, connections: 3 }], files);
  const { verdict } = await examined({ broker: blocked(800), proc: () => proc });
  expect(verdict).toMatchObject({ status: "healthy", reason: "busy", measured: "not" });
});

describe("the evidence suffices before the time is over", () => {
  test.each([
    ["the worker is blocked by a task", HELD, SILENT, "busy", 400],
    ["the worker is stopped", procWith([{ ...WORKER, state: "T" }]), SILENT, "stopped", 200],
    ["the worker is a zombie", procWith([{ ...WORKER, state: "Z" }]), [], "dead", 200],
  ])("when %s", async (_, proc, rows, reason, withinMs) => {
    const broker = brokerWith(1, () => [], { tell: listing(() => rows) });
    const { evidence, verdict, endedMs } = await examined({ broker, proc: () => proc });
    expect(verdict.reason).toBe(reason);
    expect(evidence.asking).toMatchObject({ pings: 1, over: false });
    expect(looksOf(evidence)).toHaveLength(2);
    expect(endedMs).toBeLessThan(withinMs);
  });

  test("when nobody is subscribed and no worker is here", async () => {
    const { verdict, endedMs } = await examined({
      broker: brokerWith(0, () => []),
      proc: () => procWith([]),
    });
    expect(verdict).toMatchObject({ status: "unhealthy", reason: "dead", how: "none" });
    expect(endedMs).toBeLessThan(200);
  });

  test("when no worker is here, after the second in which somebody unknown may answer", async () => {
    const { verdict, endedMs } = await examined({ proc: () => procWith([]) });
    expect(verdict).toMatchObject({ reason: "dead", how: "none" });
    expect(endedMs).toBeGreaterThan(1_000);
    expect(endedMs).toBeLessThan(1_200);
  });

  test("when the worker answers late", async () => {
    const broker = brokerWith(1, (time) => (time > 700 ? answers() : []), { tell: listing(() => POLLING) });
    const { host, verdict, endedMs } = await examined({ broker });
    expect(verdict.reason).toBe("alive");
    expect(endedMs).toBeLessThan(750);
    expect(host.listeners).toMatchObject([{ open: false }]);
  });

  test("when the worker ends while it is asked", async () => {
    const { verdict, endedMs } = await examined({ proc: (time) => (time > 600 ? procWith([]) : HELD) });
    expect(verdict).toMatchObject({ reason: "dead", how: "ended", pid: 12 });
    expect(endedMs).toBeLessThan(1_600);
  });
});

describe("a stopped process outranks a pong", () => {
  const stopped = procWith([{ ...WORKER, state: "T" }]);

  test("when it was stopped before, though another of its name answers", async () => {
    const { evidence, verdict } = await examined({ broker: brokerWith(2, answers), proc: () => stopped });
    expect(evidence.asking).toMatchObject({ pongs: [{ node: "celery@web-1" }] });
    expect(verdict).toMatchObject({ status: "unhealthy", reason: "stopped", how: "stopped", pid: 12 });
  });

  test("only when a second look confirms it", async () => {
    const proc = (time: number) => (time < 100 ? stopped : HELD);
    const { verdict } = await examined({ broker: brokerWith(2, answers), proc });
    expect(verdict.reason).toBe("alive");
  });

  test("even when it stops during the wait and the pong comes after the first look", async () => {
    const broker = brokerWith(1, (time) => (time > 300 ? answers() : []), { tell: listing(() => POLLING) });
    const { verdict } = await examined({ broker, proc: (time) => (time < 200 ? HELD : stopped) });
    expect(verdict.reason).toBe("stopped");
  });
});

describe("a worker that its command line does not show", () => {
  const script = { pid: 12, words: ["python", "run_worker.py"] };
  const worker = procWith([{ ...script, connections: 3 }]);

  test("is found by its subscription when it does not answer", async () => {
    const broker = brokerWith(1, () => [], { tell: listing(() => SILENT) });
    const { evidence, verdict, endedMs } = await examined({ broker, proc: () => worker });
    expect(evidence.nodes).toMatchObject([{ process: { kind: "seen", pid: 12, foundBy: "connections" } }]);
    expect(verdict).toMatchObject({ reason: "busy", pid: 12, forS: 74 });
    expect(endedMs).toBeLessThan(400);
  });

  test("is not a worker of another name", async () => {
    const broker = brokerWith(1, () => [], { tell: listing(() => SILENT) });
    const argv = ["--node=w1@web-1,w2@web-1"];
    const named = procWith([{ ...WORKER, words: [...WORKER.words, "-n", "w2@%h"], connections: 3 }]);
    const { verdict } = await examined({ argv, broker, proc: () => named });
    expect(verdict).toMatchObject({ reason: "dead", node: "w1@web-1" });
  });

  test("is not taken for one of two that are asked: nothing tells which", async () => {
    const broker = brokerWith(1, () => [], { tell: listing(() => SILENT) });
    const argv = ["--node=w1@web-1,w2@web-1"];
    const { evidence } = await examined({ argv, broker, proc: () => worker });
    expect(evidence.nodes).toMatchObject([
      { node: "w1@web-1", process: { kind: "none" } },
      { node: "w2@web-1", process: { kind: "none" } },
    ]);
  });

  test("is not looked for when a pid file names nobody", async () => {
    const broker = brokerWith(1, () => [], { tell: listing(() => SILENT) });
    const { verdict } = await examined({ argv: ["--pidfile=/run/w.pid"], broker, proc: () => worker });
    expect(verdict).toMatchObject({ reason: "dead", how: "none" });
  });

  test("has not ended when its subscription shows only in the second look", async () => {
    const broker = brokerWith(1, () => [], { tell: listing((time) => (time < 300 ? [] : SILENT)) });
    const { verdict } = await examined({ broker, proc: () => worker });
    expect(verdict).toMatchObject({ reason: "busy", pid: 12 });
  });

  test("is not taken for the one that is asked when several may be it", async () => {
    const broker = brokerWith(1, () => [], { tell: listing(() => SILENT, [12, 13]) });
    const two = procWith([
      { ...script, connections: 3 },
      { ...script, pid: 13, connections: 3 },
    ]);
    const { verdict } = await examined({ argv: ["--node=celery@web-1"], broker, proc: () => two });
    expect(verdict).toMatchObject({ gap: { kind: "unrecognised" } });
  });

  test("is found with others when nobody is named", async () => {
    const broker = brokerWith(1, () => [], { tell: listing(() => SILENT, [12, 13]) });
    const two = procWith([
      { ...script, connections: 3 },
      { ...script, pid: 13, connections: 3 },
    ]);
    const { evidence, verdict } = await examined({ broker, proc: () => two });
    expect(evidence.nodes.map(({ process }) => process)).toMatchObject([{ pid: 12 }, { pid: 13 }]);
    expect(verdict).toMatchObject({ reason: "busy" });
  });

  test.each([
    [
      "its sockets cannot be told from others of its user",
      procWith([{ ...script, connections: 3, descriptors: null }]),
    ],
    ["no socket can be read", procWith([script], { "/proc/12/net/tcp": null })],
  ])("may be connected when %s", async (_, proc) => {
    const { evidence, verdict } = await examined({ proc: () => proc });
    expect(evidence.nodes).toMatchObject([
      { process: { kind: "none", suspect: { candidate: { pid: 12 }, shows: "hidden" } } },
    ]);
    expect(verdict).toMatchObject({ gap: { kind: "unrecognised", words: "python run_worker.py" } });
  });

  test("is not connected when no socket that may be its own leads to the broker", async () => {
    const proc = procWith([{ ...script, descriptors: null }]);
    const { evidence } = await examined({ proc: () => proc });
    expect(evidence.nodes).toMatchObject([
      { process: { kind: "none", suspect: { candidate: { pid: 12 }, shows: "stranger" } } },
    ]);
  });

  test("is none when a program has no connection to a broker that is up for long", async () => {
    const { evidence, verdict } = await examined({ proc: () => procWith([script]) });
    expect(evidence.nodes).toMatchObject([
      { process: { kind: "none", suspect: { candidate: { pid: 12 }, shows: "stranger" } } },
    ]);
    expect(verdict).toMatchObject({ reason: "dead", how: "none" });
  });

  test("may be importing when it is young", async () => {
    const young = procWith([{ ...script, startTicks: 99_500 }]);
    const { verdict } = await examined({ proc: () => young });
    expect(verdict).toMatchObject({ gap: { kind: "unrecognised", pid: 12 } });
  });
});

describe("a worker that was forked after it had its command line", () => {
  const forked = { ...WORKER, isForked: true };
  const silent = brokerWith(1, () => [], { tell: listing(() => SILENT) });

  test("is found by its connections when it went into the background", async () => {
    const proc = procWith([{ ...forked, connections: 3 }]);
    const { verdict } = await examined({ broker: silent, proc: () => proc });
    expect(verdict).toMatchObject({ reason: "busy", pid: 12, forS: 74 });
  });

  test("is found when its connections are as old as itself, by the broker's whole seconds", async () => {
    const proc = procWith([{ ...forked, connections: 3, startTicks: 10_050 }]);
    const { verdict } = await examined({ broker: silent, proc: () => proc });
    expect(verdict).toMatchObject({ reason: "busy", pid: 12 });
  });

  test("may be one when its connections are older than itself: it may have inherited them from one that is dead", async () => {
    const proc = procWith([{ ...forked, connections: 3, startTicks: 50_000 }]);
    const { verdict } = await examined({ broker: silent, proc: () => proc });
    expect(verdict).toMatchObject({ gap: { kind: "unrecognised", pid: 12 } });
  });

  test("may be one when it has no connection yet, as long as it is young", async () => {
    const verdictAt = async (startTicks: number) =>
      (await examined({ proc: () => procWith([{ ...forked, startTicks }]) })).verdict;
    expect(await verdictAt(99_500)).toMatchObject({ gap: { kind: "unrecognised", pid: 12 } });
    expect(await verdictAt(5_000)).toMatchObject({ reason: "dead", how: "none" });
  });

  test("may be one when the broker does not show whose connections are whose", async () => {
    const proc = procWith([{ ...forked, connections: 3 }]);
    const { verdict } = await examined({ broker: brokerWith(1, () => []), proc: () => proc });
    expect(verdict).toMatchObject({ gap: { kind: "unrecognised", pid: 12 } });
  });

  test("is judged instead of its parent, which waits for it and has no connection", async () => {
    const parent = { ...WORKER, pid: 11 };
    const proc = procWith([parent, { ...forked, parent: 11, connections: 3 }]);
    const { evidence, verdict } = await examined({ broker: silent, proc: () => proc });
    expect(verdict).toMatchObject({ reason: "busy", pid: 12, forS: 74 });
    // The list that it was found by was asked for with the sockets of its parent.
    expect(looksOf(evidence).map(({ connections }) => connections?.kind)).toEqual([undefined, "known"]);
  });
});
