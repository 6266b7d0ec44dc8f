import { describe, expect, test } from "vitest";
import type { Heartbeat } from "../../src/celery/heartbeat.ts";
import { startDeadline } from "../../src/deadline.ts";
import type { Host } from "../../src/host.ts";
import { listenToHeartbeats, paceOf } from "../../src/session/heartbeats.ts";
import { openSession } from "../../src/session/session.ts";
import { fakeHost, heartbeat, ok } from "../health/fake-host.ts";
import { planned } from "../health/planned.ts";

const CHANNEL = "/0.celeryev/worker.heartbeat";

/** Who is kept when these names beat, one after the other, each at its time. */
async function kept(beats: readonly (readonly [time: number, node: string])[]) {
  let hear: (channel: string, text: string) => void = () => undefined;
  const broker = (commands: readonly unknown[]) => commands.map(() => ok("PONG"));
  const fake = fakeHost({ broker, argv: ["--any", "--placement", "remote"] });
  const host: Host = {
    ...fake,
    listen(target, heard, ...how) {
      hear = heard;
      return fake.listen(target, heard, ...how);
    },
  };
  const deadline = startDeadline(1_000_000, host.now);
  const session = await openSession(planned(host), host, deadline);
  if (!session.ok) throw new Error(session.problem.kind);
  const { heard, spans, close } = listenToHeartbeats(session.value, host, deadline);
  for (const [time, node] of beats) {
    if (time > host.now()) await host.pause(time - host.now());
    hear(CHANNEL, heartbeat(node));
  }
  close();
  expect([...spans.keys()].sort()).toEqual([...heard.keys()].sort());
  return heard;
}

const crowd = (time: number, size: number) =>
  Array.from({ length: size }, (_, number) => [time, `${number}@crowd`] as const);

test("only the first 10,000 nodes are kept when more send heartbeats", async () => {
  const heard = await kept([[100, "w@first"], ...crowd(200, 10_500), [300, "w@late"], [300, "w@first"]]);
  expect(heard.size).toBe(10_000);
  expect([heard.has("w@first"), heard.has("w@late")]).toEqual([true, false]);
});

test("a node that is silent for ten minutes is forgotten when there is no room", async () => {
  const well = [300_000, 600_100].map((time) => [time, "w@well"] as const);
  const heard = await kept([[100, "w@well"], ...crowd(200, 9_999), ...well, [600_300, "w@new"]]);
  expect([...heard.keys()].sort()).toEqual(["w@new", "w@well"]);
});

describe("the pace", () => {
  const beat = (processed: number | null, active = 0): Heartbeat => ({
    node: "w@a",
    pid: 1,
    active,
    processed,
    version: "5.7.0",
    channel: "",
  });
  const span = (first: Heartbeat, last: Heartbeat, ms = 4_000) => ({ first, firstMs: 0, last, lastMs: ms });

  test("counts tasks that began, and tasks that ended", () => {
    const spans = new Map([
      ["w@a", span(beat(100, 0), beat(140, 4))],
      ["w@b", span(beat(0, 2), beat(8, 2))],
    ]);
    expect(paceOf(spans)).toEqual({ begun: 12, finished: 11, overS: 4 });
  });

  test.each([
    ["nobody", new Map()],
    ["one heartbeat", new Map([["w@a", span(beat(1), beat(1), 0)]])],
    ["heartbeats without counts", new Map([["w@a", span(beat(null), beat(3))]])],
  ])("is not known with %s", (_, spans) => {
    expect(paceOf(spans)).toBeNull();
  });
});
