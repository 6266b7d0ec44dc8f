import { describe, expect, test } from "vitest";
import { startDeadline } from "../../src/deadline.ts";
import { openEar } from "../../src/health/hear.ts";
import { fakeHost, heartbeat, OURS, type Published } from "./fake-host.ts";
import { procWith, WORKER } from "./fake-worker.ts";
import { planned, serverOf } from "./planned.ts";

const NODE = "celery@web-1";
const CHANNEL = "/0.celeryev/worker.heartbeat";
const proc = procWith([WORKER]);

/** Listens for so long to these events, and gives what was heard of its process, number 12, and of its name alone. */
async function heard(events: readonly Published[], argv: readonly string[] = [], ms = 3_000) {
  const host = fakeHost({ events, argv, proc: () => proc });
  const plan = planned(host);
  const ear = openEar(plan, host, startDeadline(plan.deadline, host.now), serverOf(plan));
  await host.pause(ms);
  const worker = plan.targets[0]?.worker ?? null;
  return { here: ear.hearing([NODE], worker), afar: ear.hearing([NODE], null), ear, host };
}

const own = { count: 1, active: 0, processed: 9, version: "5.7.0", whence: { kind: "expected" } };
const ours = (more: object = {}) => heartbeat(NODE, more);

describe("hearing", () => {
  test("is nothing when nobody has beaten, and says for how long it listened", async () => {
    const { here } = await heard([]);
    expect(here).toEqual({ kind: "listened", forMs: 2_999, own: null, namesake: null });
  });

  test("is the last heartbeat and how many there were when the node beats", async () => {
    const { here, afar } = await heard([
      [100, CHANNEL, ours({ active: 3 })],
      [2_100, CHANNEL, ours({ active: 1, processed: 12 })],
    ]);
    expect(here).toMatchObject({ own: { ...own, count: 2, active: 1, processed: 12 }, namesake: null });
    expect(afar).toMatchObject({ own: { count: 2 }, namesake: null });
  });

  test.each([
    ["nothing of one heartbeat", [[100, CHANNEL, ours()]], false],
    [
      "that it is idle when two show no running task",
      [
        [100, CHANNEL, ours()],
        [2_100, CHANNEL, ours()],
      ],
      true,
    ],
    [
      "that it works when a task was begun between two",
      [
        [100, CHANNEL, ours()],
        [2_100, CHANNEL, ours({ processed: 10 })],
      ],
      false,
    ],
    [
      "that it works when one showed a running task",
      [
        [100, CHANNEL, ours({ active: 1 })],
        [2_100, CHANNEL, ours()],
      ],
      false,
    ],
  ] as const)("says %s", async (_, events, isIdle) => {
    expect((await heard(events)).here).toMatchObject({ own: { isIdle } });
  });

  test("tells twins apart by the number in their heartbeats when its process is in sight", async () => {
    const { here, afar } = await heard([[100, CHANNEL, ours({ pid: 99, active: 5 })]]);
    expect(here).toMatchObject({ own: null });
    expect(afar).toMatchObject({ own: { active: 5 } });
  });

  test("goes on for the nodes asked when ten thousand others have beaten", async () => {
    const others = Array.from({ length: 10_001 }, (_, at): Published => [
      1,
      CHANNEL,
      heartbeat(`celery@${at}`, {}),
    ]);
    const { here } = await heard([...others, [100, CHANNEL, ours()]]);
    expect(here).toMatchObject({ own });
  });

  test("takes all events on one channel when fanout_patterns is off", async () => {
    expect((await heard([[100, "/0.celeryev", ours()]])).here).toMatchObject({ own });
  });

  test("does not take another database's when its prefix is the same", async () => {
    expect((await heard([[100, "/1.celeryev/worker.heartbeat", ours()]])).here).toMatchObject({ own: null });
  });

  test("names the prefix when it is not the one that the probe was told", async () => {
    expect((await heard([[100, `gp:${CHANNEL}`, ours()]])).here).toMatchObject({
      own: { ...own, whence: { kind: "other-prefix", prefix: "gp:" } },
    });
  });

  test("prefers the prefix that the probe was told when there are several", async () => {
    const events: Published[] = [
      [100, CHANNEL, ours({ active: 1 })],
      [200, `gp:${CHANNEL}`, ours({ active: 2 })],
    ];
    expect((await heard(events, ["--global-keyprefix=gp:"])).here).toMatchObject({
      own: { active: 2, whence: { kind: "expected" } },
    });
  });

  test("names the node that beats with the process' number when it has another name", async () => {
    const { here, afar } = await heard([[100, CHANNEL, heartbeat("celery@other")]]);
    expect(here).toMatchObject({ own: null, namesake: "celery@other" });
    expect(afar).toMatchObject({ own: null, namesake: null });
  });

  test("names no node that is asked too when two workers share a number", async () => {
    const { here } = await heard(
      [[100, CHANNEL, heartbeat("celery@other")]],
      ["--node=celery@web-1,celery@other"],
    );
    expect(here).toMatchObject({ namesake: null });
  });

  test("ignores messages that are no heartbeats", async () => {
    const { here } = await heard([
      [100, CHANNEL, "{"],
      [110, CHANNEL, ours({ type: "worker-online" })],
      [120, "/0.celeryev/worker.online", ours()],
    ]);
    expect(here).toMatchObject({ own: null, namesake: null });
  });

  test("ends when the ear is closed", async () => {
    const { ear, host } = await heard([[4_000, CHANNEL, ours()]]);
    ear.close();
    await host.pause(2_000);
    expect(host.listeners).toMatchObject([{ open: false }]);
    expect(ear.hearing([NODE], null)).toMatchObject({ own: null });
  });
});

test("an ear is refused when the broker forbids it, and has no connection", async () => {
  const refused = {
    kind: "refused",
    cause: "no-permission",
    command: "SUBSCRIBE",
    detail: "NOPERM",
  } as const;
  const host = fakeHost({ events: refused });
  const plan = planned(host);
  const ear = openEar(plan, host, startDeadline(plan.deadline, host.now), serverOf(plan));
  expect(ear.hearing([NODE], null)).toEqual({ kind: "not-listened" });
  expect(ear.ends()).toBeNull();
  await host.pause(10);
  expect(ear.hearing([NODE], null)).toEqual({ kind: "refused" });
  expect(ear.ends()).toBeNull();
});

test("an ear closes its connection even when it was closed before it had connected", async () => {
  const host = fakeHost({});
  const plan = planned(host);
  const ear = openEar(plan, host, startDeadline(plan.deadline, host.now), serverOf(plan));
  ear.close();
  await host.pause(10);
  expect(host.listeners).toMatchObject([{ open: false }]);
});

test("an ear knows its own end when it listens", async () => {
  const { ear } = await heard([]);
  expect(ear.ends()?.remote).toEqual(OURS.remote);
  expect(ear.ends()?.local).not.toEqual(OURS.local);
});
