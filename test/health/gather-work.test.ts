import { describe, expect, test } from "vitest";
import { gather } from "../../src/health/check.ts";
import { conclude } from "../../src/health/judge.ts";
import type { FakeProcess } from "../worker/fake-proc.ts";
import { brokerWith, fakeHost, heartbeat, type Published, reply } from "./fake-host.ts";
import { listing, POLLING, procWith, WORKER } from "./fake-worker.ts";
import { planned } from "./planned.ts";

const NODE = "celery@web-1";
const NOW = 1_800_000_000;
const BEATS: readonly Published[] = [[500, "/0.celeryev/worker.heartbeat", heartbeat(NODE)]];

interface Case {
  readonly argv: readonly string[];
  readonly worker?: Partial<FakeProcess>;
  /** What the worker answers to each method; no entry: it does not. */
  readonly says?: Readonly<Record<string, unknown>>;
  /** How many messages lie in each list; no entry: none. */
  readonly lengths?: Readonly<Record<string, number>> | "forbidden";
  readonly events?: readonly Published[];
  readonly connections?: typeof POLLING;
  /** Sets that have members. */
  readonly bound?: readonly string[];
  /** The deliveries that no worker has acknowledged. */
  readonly unacked?: readonly string[];
}

/** A worker that answers pings, and what it says of its work. */
async function worked({ argv, worker, says = {}, lengths = {}, events = [], ...rest }: Case) {
  const { connections = POLLING, unacked = [], bound = [] } = rest;
  const methods: Record<string, unknown>[] = [];
  const list: string[] = [];
  const place = listing(() => connections);
  const mailbox = brokerWith(1, () => list, {
    tell(command, time) {
      const [name, key] = command;
      if (name === "SCARD") return bound.includes(String(key)) ? 1 : 0;
      if (name === "HLEN") return unacked.length;
      if (name === "ZRANGE") return unacked.flatMap((_, n) => [String(n), "50"]);
      if (name === "HSTRLEN") return unacked[Number(command[2])]?.length ?? 0;
      if (name === "HMGET") return command.slice(2).map((tag) => unacked[Number(tag)] ?? null);
      if (name !== "LLEN") return place(command, time);
      return lengths === "forbidden" ? undefined : (lengths[String(key)] ?? 0);
    },
  });
  const proc = procWith([{ ...WORKER, ...worker, connections: 3 }]);
  const host = fakeHost({
    argv,
    events,
    proc: () => proc,
    broker(commands, time) {
      for (const [name, , message] of commands) {
        if (name !== "PUBLISH") continue;
        const { body } = JSON.parse(String(message)) as { body: string };
        const request = JSON.parse(Buffer.from(body, "base64").toString()) as Record<string, unknown>;
        methods.push(request);
        const answer = request["method"] === "ping" ? { ok: "pong" } : says[String(request["method"])];
        if (answer !== undefined) list.unshift(reply(NODE, String(request["ticket"]), answer));
      }
      return mailbox(commands, time);
    },
  });
  const plan = planned(host);
  const evidence = await gather(plan, host);
  const asked = methods.map(({ method }) => method);
  const counted = host.writes.flat().flatMap(([name, key]) => (name === "LLEN" ? [String(key)] : []));
  return {
    evidence,
    work: evidence.work,
    verdict: conclude(evidence, plan.rules),
    asked,
    methods,
    counted,
    host,
  };
}

const queues = (...names: string[]) => names.map((name) => ({ name, exchange: { name } }));
const task = (name: string, ageS: number) => ({ id: `id-${name}`, name, args: "()", time_start: NOW - ageS });

test("only the ping is sent when no option wants more", async () => {
  const { work, asked, counted } = await worked({ argv: [] });
  expect({ work, asked, counted }).toEqual({ work: null, asked: ["ping"], counted: [] });
});

test("nothing is asked when the worker is already unhealthy", async () => {
  const proc = procWith([{ ...WORKER, state: "T" }]);
  const host = fakeHost({
    argv: ["--require-consuming", "--max-task-age=1m", "--max-queue-length=1"],
    broker: brokerWith(1, () => [], { tell: listing(() => POLLING) }),
    proc: () => proc,
  });
  expect((await gather(planned(host), host)).work).toBeNull();
});

describe("--max-queue-length", () => {
  test("counts all priorities of the queue named when it is given", async () => {
    const lengths = { jobs: 5, "jobs\x06\x161": 1, "jobs\x06\x169": 2, "jobs:1": 1, "jobs:9": 2 };
    const { work, counted, verdict, asked } = await worked({ argv: ["--max-queue-length=jobs=10"], lengths });
    expect(counted).toEqual(expect.arrayContaining(Object.keys(lengths)));
    expect([...(work?.lengths ?? [])]).toEqual([["jobs", 11]]);
    expect(verdict).toMatchObject({ reason: "backlog", queue: "jobs", length: 11, limit: 10 });
    expect(asked).toEqual(["ping", "conf"]);
  });

  test("counts the lists that the worker's application has when it tells its settings", async () => {
    const says = { conf: { broker_transport_options: { sep: "|", priority_steps: [0, 12] } } };
    const { verdict } = await worked({
      ...{ argv: ["--max-queue-length=jobs=10"], says, lengths: { jobs: 5, "jobs|12": 6 } },
    });
    expect(verdict).toMatchObject({ reason: "backlog", queue: "jobs", length: 11, limit: 10 });
  });

  test("takes the last limit when a queue has several", async () => {
    const argv = ["--max-queue-length=7", "--max-queue-length=jobs=9,jobs=5"];
    const { verdict } = await worked({ argv, lengths: { jobs: 8 } });
    expect(verdict).toMatchObject({ reason: "backlog", queue: "jobs", length: 8, limit: 5 });
  });

  test("counts behind the prefix when there is one", async () => {
    const { counted } = await worked({ argv: ["--max-queue-length=jobs=10", "--global-keyprefix=gp:"] });
    expect(counted[0]).toBe("gp:jobs");
  });

  test("keeps the lengths of several queues apart", async () => {
    const lengths = { a: 1, b: 2, "b\x06\x169": 4, c: 0 };
    const { work } = await worked({ argv: ["--max-queue-length=a=9,b=9,c=9,a=5"], lengths });
    expect([...(work?.lengths ?? [])]).toEqual([
      ["a", 1],
      ["b", 6],
      ["c", 0],
    ]);
  });

  test.each<[string, Partial<Case>, string[], string[]]>([
    ["-Q of the worker", { worker: { words: [...WORKER.words, "-Q", "a,b"] } }, ["a", "b"], ["ping", "conf"]],
    ["its variable", { worker: { environment: "CELERY_WORKER_QUEUES=a,b\0" } }, ["a", "b"], ["ping", "conf"]],
    [
      "what the worker says",
      { says: { active_queues: queues("a", "b") } },
      ["a", "b"],
      ["ping", "active_queues", "conf"],
    ],
    ["Celery's own when it says nothing", {}, ["celery"], ["ping", "active_queues", "conf"]],
    [
      "Celery's own when it consumes none",
      { says: { active_queues: null } },
      ["celery"],
      ["ping", "active_queues", "conf"],
    ],
    [
      "Celery's own when it says nonsense",
      { says: { active_queues: [1] } },
      ["celery"],
      ["ping", "active_queues", "conf"],
    ],
  ])("without a name counts the queues by %s", async (_, how, names, methods) => {
    const { work, asked } = await worked({ argv: ["--max-queue-length=10"], ...how });
    expect([...(work?.lengths.keys() ?? [])]).toEqual(names);
    expect(asked).toEqual(methods);
  });

  test.each([
    [["--queue=q1,q2"], ["q1", "q2"]],
    [[], ["celery"]],
  ])("without a name counts those of %j when everybody is asked", async (argv, names) => {
    const { work, asked } = await worked({ argv: ["--any", "--max-queue-length=10", ...argv] });
    expect([...(work?.lengths.keys() ?? [])]).toEqual(names);
    expect(asked).toEqual(["ping"]);
  });

  test.each<[string, Partial<Case>, string[], string[]]>([
    [
      "nobody has it",
      { says: { active_queues: queues("celery") } },
      ["mial"],
      ["ping", "conf", "active_queues"],
    ],
    [
      "the worker consumes it",
      { says: { active_queues: queues("mial") } },
      [],
      ["ping", "conf", "active_queues"],
    ],
    [
      "the worker was told to consume it",
      { worker: { words: [...WORKER.words, "-Q", "mial"] } },
      [],
      ["ping", "conf"],
    ],
    ["a message waits in it", { lengths: { mial: 1 } }, [], ["ping", "conf"]],
    ["it is bound to an exchange", { bound: ["_kombu.binding.mial"] }, [], ["ping", "conf"]],
  ])("finds out who has the queue named when %s", async (_, how, ownerless, methods) => {
    const { work, asked, verdict } = await worked({ argv: ["--max-queue-length=mial=10"], ...how });
    expect(work?.ownerless).toEqual(ownerless);
    expect(asked).toEqual(methods);
    expect(verdict.reason).toBe("alive");
  });

  test("says nothing of a length when the broker does not tell it", async () => {
    const { work, verdict } = await worked({ argv: ["--max-queue-length=jobs=0"], lengths: "forbidden" });
    expect([...(work?.lengths ?? [])]).toEqual([["jobs", null]]);
    expect(verdict.reason).toBe("alive");
  });
});

describe("--require-consuming", () => {
  test("asks only the node that answered, and takes its word when a queue is missing", async () => {
    const { methods, verdict } = await worked({
      argv: ["--require-consuming", "--queue=jobs"],
      says: { active_queues: queues("celery") },
      lengths: { jobs: 4 },
    });
    expect(methods[1]).toMatchObject({ method: "active_queues", destination: [NODE], arguments: {} });
    expect(verdict).toMatchObject({ reason: "not-consuming", how: "cancelled", queue: "jobs", length: 4 });
  });

  test("does not look at connections when nothing waits", async () => {
    const { host, verdict } = await worked({
      argv: ["--require-consuming"],
      says: { active_queues: queues("celery") },
    });
    expect(verdict.reason).toBe("alive");
    expect(host.listeners).toEqual([]);
  });

  test("looks once and no longer when messages wait and the worker polls", async () => {
    const { host, verdict, evidence } = await worked({
      argv: ["--require-consuming"],
      says: { active_queues: queues("celery") },
      lengths: { celery: 3 },
    });
    expect(verdict.reason).toBe("alive");
    expect(evidence.nodes[0]?.looks).toHaveLength(1);
    expect(host.now()).toBeLessThan(100);
  });

  const halfOpen = [
    { cmd: "brpop", idle: 95 },
    { cmd: "psubscribe", flags: "P", psub: 1 },
    { cmd: "publish" },
  ];

  const paused: Partial<Case> = {
    worker: { words: [...WORKER.words, "-c", "2"] },
    lengths: { celery: 3 },
    connections: halfOpen,
    events: BEATS,
  };

  test("waits for a heartbeat when the worker does not poll, and says since when", async () => {
    const { host, verdict, asked } = await worked({
      argv: ["--require-consuming"],
      ...paused,
      says: { active_queues: queues("celery"), conf: {} },
    });
    expect(asked).toEqual(["ping", "active_queues", "conf"]);
    expect(verdict).toMatchObject({ reason: "not-consuming", how: "half-open", pausedS: 95, length: 3 });
    expect(host.now()).toBeGreaterThan(500);
    expect(host.now()).toBeLessThan(600);
  });

  test.each([["unacked_key"], ["unacked_index_key"]])(
    "accuses nobody whose %s is its own, as the worker masks it",
    async (key) => {
      const { verdict, work } = await worked({
        argv: ["--require-consuming"],
        ...paused,
        says: {
          active_queues: queues("celery"),
          conf: { broker_transport_options: { [key]: "********" } },
        },
      });
      expect(verdict.reason).toBe("alive");
      expect(work?.nodes[0]?.held).toEqual({ kind: "unknown" });
    },
  );

  test("accuses no worker that does not tell its settings", async () => {
    const says = { active_queues: queues("celery") };
    const { verdict } = await worked({ argv: ["--require-consuming"], ...paused, says });
    expect(verdict.reason).toBe("alive");
  });

  describe("with deliveries that are not acknowledged", () => {
    const element = (task: string) => {
      const envelope = {
        body: Buffer.from("[[], {}, {}]").toString("base64"),
        "content-type": "application/json",
        headers: { task, id: "1" },
        properties: { body_encoding: "base64" },
      };
      return JSON.stringify([envelope, "", "celery"]);
    };
    const deliveries = (task: string): Partial<Case> => ({
      ...paused,
      events: [...BEATS, [2_500, "/0.celeryev/worker.heartbeat", heartbeat(NODE)]],
      says: {
        active_queues: queues("celery"),
        conf: {},
        registered: ["plain", "limited [rate_limit=1/m]"],
      },
      unacked: Array.from({ length: 3 }, () => element(task)),
    });

    test("waits for a second heartbeat, and says that no task is begun", async () => {
      const { host, verdict, methods } = await worked({
        argv: ["--require-consuming"],
        ...deliveries("plain"),
      });
      expect(methods.at(-1)).toMatchObject({
        method: "registered",
        arguments: { taskinfoitems: ["rate_limit"], builtins: true },
      });
      expect(verdict).toMatchObject({ reason: "not-consuming", how: "no-work", unacked: 3 });
      expect(host.now()).toBeGreaterThan(2_500);
      expect(host.now()).toBeLessThan(2_700);
    });

    test("accuses no worker that may hold them for their rate", async () => {
      const { verdict } = await worked({ argv: ["--require-consuming"], ...deliveries("limited") });
      expect(verdict.reason).toBe("alive");
    });
  });

  test("gives up on the heartbeat when none comes, and accuses nobody", async () => {
    const { host, verdict } = await worked({
      argv: ["--require-consuming"],
      says: { active_queues: queues("celery"), conf: {} },
      lengths: { celery: 3 },
      connections: halfOpen,
    });
    expect(verdict.reason).toBe("alive");
    expect(host.now()).toBeGreaterThan(2_500);
    expect(host.now()).toBeLessThan(2_700);
  });
});

describe("--max-task-age", () => {
  const argv = ["--max-task-age=1m"];

  test("asks for tasks safely when a heartbeat has told a version from 5.2 on", async () => {
    const active = [task("young", 5), { ...task("odd", 9), id: 3 }, task("old", 90), task("middle", 50)];
    const { work, methods, verdict } = await worked({ argv, says: { active }, events: BEATS });
    expect(methods[1]).toMatchObject({ method: "active", destination: [NODE], arguments: { safe: true } });
    expect(work?.nodes[0]?.tasks).toEqual({
      kind: "told",
      count: 3,
      oldest: { name: "old", id: "id-old", ageS: 90 },
    });
    expect(verdict).toMatchObject({ reason: "stuck-task", task: "old", ageS: 90, limitMs: 60_000 });
  });

  test("takes a task for new when its clock is ahead of ours", async () => {
    const { work } = await worked({ argv, says: { active: [task("ahead", -7)] }, events: BEATS });
    expect(work?.nodes[0]?.tasks).toMatchObject({ oldest: { ageS: 0 } });
  });

  test.each([
    ["5.1.2", "risky"],
    ["4.4.7", "risky"],
    ["nonsense", "risky"],
    ["5.2.0", "told"],
    ["5.2.0rc1", "told"],
    ["5.10.0", "told"],
    ["6.0.0", "told"],
  ])("knows of Celery %s that asking is %s", async (version, kind) => {
    const beat = heartbeat(NODE, { sw_ver: version });
    const { work, asked } = await worked({
      argv,
      says: { active: [] },
      events: [[300, "/0.celeryev/worker.heartbeat", beat]],
    });
    expect(work?.nodes[0]?.tasks.kind).toBe(kind);
    expect(asked).toEqual(kind === "told" ? ["ping", "active"] : ["ping"]);
  });

  test("does not ask when no heartbeat tells the version in time", async () => {
    const { work, asked, host, verdict } = await worked({ argv, says: { active: [task("old", 900)] } });
    expect(work?.nodes[0]?.tasks).toEqual({ kind: "risky", version: null });
    expect(asked).toEqual(["ping"]);
    expect(host.now()).toBeLessThan(2_700);
    expect(verdict.reason).toBe("alive");
  });

  test.each([
    ["does not answer", {}],
    ["answers an error", { active: { error: "x" } }],
  ])("knows no tasks when the worker %s", async (_, says) => {
    const { work, verdict } = await worked({ argv, says, events: BEATS });
    expect(work?.nodes[0]?.tasks).toEqual({ kind: "no-answer" });
    expect(verdict.reason).toBe("alive");
  });

  test("ends within the deadline when neither heartbeat nor answer comes", async () => {
    const { host } = await worked({ argv: [...argv, "--deadline=1s"] });
    expect(host.now()).toBeLessThan(950);
  });
});
