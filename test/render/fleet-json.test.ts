import { expect, test } from "vitest";
import { fleet, HUNG, LOST, NO_ROUND, node, outage, queue } from "../serve/fleet.ts";
import { asked, serving } from "../serve/served.ts";
import type { FleetView } from "../../src/fleet/fleet-view.ts";

const json = (view: FleetView, path: string) => JSON.parse(asked(serving(view), path).text) as object;

const WORKER = {
  node: "celery@web-1",
  local: false,
  status: "healthy",
  reason: "alive",
  hint: null,
  since: "2027-01-15T07:59:00.000Z",
  last_evidence: "2027-01-15T07:59:58.000Z",
  ping_ms: 2,
  active: 1,
  slots: 4,
  processed: 1_200,
  per_second: 3.5,
  trend: [0, 3.5],
  queues: ["celery"],
  celery_version: "5.7.0",
  pid: 12,
  restarts: 2,
  copies: 1,
  oldest_task: { name: "app.tasks.x", age_s: 12.5 },
  memory_bytes: 50_000_000,
};

test("the object of workers has the broker, the rounds and a summary", () => {
  const view = fleet([node("celery@sick", HUNG), node("celery@lost", LOST), node("celery@web-1")]);
  expect(json(view, "/api/v1/workers")).toMatchObject({
    schema: 1,
    at: "2027-01-15T08:00:00.000Z",
    version: "0.1.0",
    broker: {
      url: "redis://redis:6379/0",
      up: true,
      message: null,
      hint: null,
      since: null,
      rtt_ms: 0.4,
      reconnects: 0,
    },
    rounds: { done: 3, failed: 1, last: "2027-01-15T07:59:55.000Z", duration_ms: 120, stale: false },
    nameless: 0,
    unacked: { messages: 3, oldest_s: 12.1 },
    summary: { healthy: 1, unhealthy: 1, unknown: 1 },
    workers: [{ node: "celery@sick", status: "unhealthy", reason: "hung" }, { node: "celery@lost" }, WORKER],
  });
  expect(json(view, "/api/v1/workers/celery@web-1")).toMatchObject({
    schema: 1,
    at: "2027-01-15T08:00:00.000Z",
    ...WORKER,
  });
});

test("an outage has its beginning and its sentence, and fields are null before the first round", () => {
  expect(json(outage([], { rounds: NO_ROUND, unacked: null }), "/api/v1/workers")).toMatchObject({
    broker: {
      up: false,
      message: expect.stringContaining("refused the connection") as string,
      hint: expect.stringContaining("is Redis running there") as string,
      since: "2027-01-15T07:59:40.000Z",
      rtt_ms: null,
    },
    rounds: { done: 0, last: null, duration_ms: null },
    unacked: null,
    workers: [],
  });
});

test("the object of queues has their load", () => {
  const view = fleet([], {
    queues: [
      queue("celery"),
      queue("none", { consumers: 0, slots: null, active: null, nonemptySinceS: null }),
    ],
  });
  const celery = {
    queue: "celery",
    length: 12,
    trend: [3, 12],
    consumers: 3,
    slots: 12,
    active: 4,
    load: 0.33,
    unacked: null,
    nonempty_since: "2027-01-15T07:59:30.000Z",
  };
  expect(json(view, "/api/v1/queues")).toEqual({
    schema: 1,
    at: "2027-01-15T08:00:00.000Z",
    queues: [celery, expect.objectContaining({ queue: "none", load: null, nonempty_since: null })],
  });
  expect(json(view, "/api/v1/queues/celery")).toEqual({
    schema: 1,
    at: "2027-01-15T08:00:00.000Z",
    ...celery,
  });
});

test("a password in a name is masked, and a control character is escaped", () => {
  const { text } = asked(serving(fleet([node("redis://:secret@host/0\u202e")])), "/api/v1/workers");
  expect(text).not.toContain("secret");
  expect(text).not.toContain("\u202e");
  expect(text.split("\n")).toHaveLength(2);
});
