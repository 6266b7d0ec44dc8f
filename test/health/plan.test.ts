import { describe, expect, test } from "vitest";
import { replyKey } from "../../src/broker/keys.ts";
import { fakeProc } from "../worker/fake-proc.ts";
import { fakeHost } from "./fake-host.ts";
import { planned, planning } from "./planned.ts";

const W1 = { pid: 12, words: ["python", "/venv/bin/celery", "worker", "-n", "w1@%h", "-b", "redis://one/3"] };
const W2 = { pid: 13, words: ["python", "/venv/bin/celery", "worker", "-n", "w2@%h", "-b", "redis://two/4"] };

function plan(argv: readonly string[], processes: readonly { pid: number; words: string[] }[] = []) {
  const proc = fakeProc(processes);
  return planned(fakeHost({ argv, proc: () => proc }));
}

describe("the nodes", () => {
  test.each([
    [[], ["celery@web-1"]],
    [["--node=w1"], ["celery@w1"]],
    [["--node=w1@%h"], ["w1@web-1"]],
    [
      ["--node=a@x,b@x", "--node=a@x"],
      ["a@x", "b@x"],
    ],
  ])("asked by %j are %j", (argv, nodes) => {
    expect(plan(argv)).toMatchObject({ asked: { kind: "nodes", nodes }, destination: nodes });
  });

  test("asked without a name are the workers in sight, each once", () => {
    const { asked, targets } = plan([], [W1, W2, { ...W2, pid: 14 }]);
    expect(asked).toEqual({ kind: "nodes", nodes: ["w1@web-1", "w2@web-1"] });
    expect(targets.map(({ worker }) => worker?.pid)).toEqual([12, 13, 14]);
  });

  test.each([
    [["--any"], 1],
    [["--min-nodes=3"], 3],
    [["--any", "--min-nodes=3"], 3],
  ])("asked by %j are all, and %d must answer", (argv, atLeast) => {
    expect(plan(argv, [W1])).toMatchObject({
      asked: { kind: "any", atLeast },
      destination: "everyone",
      targets: [],
      keep: 4_096,
    });
  });

  test("share a longer list of replies when there are several", () => {
    expect(plan([], [W1]).keep).toBe(32);
    expect(plan([], [W1, W2]).keep).toBe(4_096);
  });
});

describe("the broker", () => {
  test.each([
    [[], [W1, W2], "redis://one/3"],
    [["--node=w2@web-1"], [W1, W2], "redis://two/4"],
    [["--node=other@web-1"], [W1], "redis://127.0.0.1:6379/0"],
    [["--any"], [W2], "redis://127.0.0.1:6379/0"],
    [["--placement=remote"], [W1], "redis://127.0.0.1:6379/0"],
  ])("by %j is lent by the worker that is asked", (argv, processes, url) => {
    expect(plan(argv, processes).broker.shown).toBe(url);
  });

  test("decides database and channel, the prefix every name", () => {
    const made = plan(["--broker=redis://:hunter2@x/7", "--global-keyprefix=gp:"]);
    expect(made).toMatchObject({
      route: { channel: "gp:/7.celery.pidbox", lists: [`gp:${replyKey(["celery@web-1"])}`] },
      rules: { naming: { prefix: "gp:" } },
      broker: { shown: "redis://:***@x/7" },
    });
  });
});

describe("the place", () => {
  const hidden = { "/proc/1/cmdline": null };

  test.each<[readonly string[], readonly { pid: number; words: string[] }[], string]>([
    [[], [W1], "inside, in-sight"],
    [["--placement=inside"], [], "inside, in-sight"],
    [["--placement=beside"], [W1], "beside, in-sight"],
    [["--placement=beside"], [], "beside, out-of-sight"],
    [["--placement=remote"], [W1], "remote, out-of-sight"],
    [["--placement=inside", "--node=a@far"], [], "inside, in-sight"],
    // No worker in sight: its name tells whether one should be.
    [[], [], "inside, in-sight"],
    [["--node=w1@web-1"], [], "inside, in-sight"],
    [["--node=w1@web-2"], [], "remote, unexpected"],
    [["--node=w1@web-2,w1@web-1"], [], "inside, in-sight"],
  ])("by %j and %j is %s", (argv, processes, place) => {
    const { place: made } = plan(argv, processes);
    expect([made.name, made.kind]).toEqual(place.split(", "));
  });

  test("is unknown when /proc hides processes", () => {
    const proc = fakeProc([], hidden);
    expect(planned(fakeHost({ proc: () => proc })).place).toEqual({
      kind: "out-of-sight",
      name: "no-proc",
    });
  });
});

test.each(["python3", "celery"])("a zombie %s beside us is no worker's when none is in sight", (comm) => {
  const zombie = fakeProc([{ pid: 9, state: "Z", comm }]);
  const made = planned(fakeHost({ argv: ["--placement=beside"], proc: () => zombie }));
  expect(made.place).toEqual({ kind: "out-of-sight", name: "beside" });
});

test("a worker in sight is looked at where /proc hides others", () => {
  const proc = fakeProc([W1], { "/proc/1/cmdline": null });
  expect(planned(fakeHost({ proc: () => proc })).place.kind).toBe("in-sight");
});

test("every option of time and rules reaches the plan", () => {
  const argv = [
    "--timeout=3s",
    "--retries=4",
    "--connect-timeout=300ms",
    "--deadline=9s",
    "--busy-grace=2m",
    "--start-grace=40s",
    "--strict",
    "--queue=a,b",
    "--require-consuming",
    "--max-task-age=1h",
    "--max-queue-length=a=5,7",
    "--state-file=/run/s.json",
  ];
  expect(plan(argv)).toMatchObject({
    timeout: 3_000,
    pings: 5,
    connectTimeout: 300,
    deadline: 9_000,
    busyGrace: 120_000,
    stateFile: { path: "/run/s.json" },
    rules: {
      startGraceMs: 40_000,
      strict: true,
      work: {
        queues: ["a", "b"],
        requireConsuming: true,
        maxTaskAge: 3_600_000,
        maxQueueLength: [
          { queue: "a", limit: 5 },
          { queue: null, limit: 7 },
        ],
      },
    },
  });
});

test("a pid file that cannot be read is a problem of the command line", () => {
  const proc = fakeProc([], { "/run/w.pid": "x" });
  const made = planning(fakeHost({ argv: ["--pidfile=/run/w.pid"], proc: () => proc }));
  expect(made).toMatchObject({ ok: false, problem: { kind: "usage" } });
});

describe("a node's name that was left to a shell", () => {
  const said = (argv: readonly string[], ...workers: readonly string[]) => {
    const proc = fakeProc(
      workers.map((name, at) => ({ pid: 12 + at, words: ["celery", "worker", "-n", name] })),
    );
    const made = planning(fakeHost({ argv, proc: () => proc }));
    return made.ok ? "accepted" : made.problem.sentence;
  };

  test.each([
    [
      "celery@$HOSTNAME",
      "--node 'celery@$HOSTNAME' has '$HOSTNAME', a variable that nobody has filled in: write %h for the host name",
    ],
    ["celery@${HOSTNAME}", "write %h for the host name"],
    ["celery@$(hostname)", "write %h for the host name"],
    ["celery@$(hostname -f)", "write %h for the host name"],
    ["celery@$(POD_NAME)", "write %h for the host name"],
    ["celery@{{.Node.Hostname}}", "write %h for the host name"],
    ["worker@%(ENV_HOSTNAME)s", "write %h for the host name"],
    ["worker@%COMPUTERNAME%", "write %h for the host name"],
    [
      "$NODE",
      "--node '$NODE' is a variable that nobody has filled in: no shell reads a command in exec form",
    ],
    ["a@x,b@$SHARD", "--node 'b@$SHARD' has '$SHARD', a variable that nobody has filled in: no shell"],
  ])("%s is named", (name, expected) => {
    expect(said([`--node=${name}`], "other@x")).toContain(expected);
    expect(said([`--node=${name}`, "--placement=remote"])).toContain(expected);
  });

  test("is asked where a worker in sight was left with it too, and bears it", () => {
    expect(said(["--node=w@$HOSTNAME"], "w@$HOSTNAME")).toBe("accepted");
    expect(said(["--node=w@$HOSTNAME", "--node=gone@x"], "w@$HOSTNAME")).toBe("accepted");
  });

  test.each(["w@%h", "w@a$b", "w%n@%d"])("%s is none", (name) => {
    expect(said([`--node=${name}`])).toBe("accepted");
  });
});
