import { expect, test } from "vitest";
import { dangerOf, isEventlet, recovers } from "../../src/inspect/risk.ts";

test.each([
  ["4.6.11", true],
  ["5.0.2", true],
  ["5.1.0", true],
  ["5.2.2", true],
  ["5.2.3", false],
  ["5.2.4", false],
  ["5.3.7", false],
  ["5.5.4", false],
  ["5.6.2", false],
  ["5.7.0", true],
  ["5.7.0rc1", true],
  ["5.10.1", true],
  ["6.0.0", false],
])("kombu %s recovers: %s", (version, expected) => {
  expect(recovers(version)).toBe(expected);
});

test("active is safe from Celery 5.2 on with every kombu", () => {
  expect(dangerOf("described", { celery: "5.2.7", kombu: "5.2.4" })).toBeNull();
  expect(dangerOf("described", { celery: "5.1.2", kombu: "5.2.4" })).toMatchObject({ kind: "kombu" });
  expect(dangerOf("described", { celery: "5.0.5", kombu: "5.0.2" })).toBeNull();
  expect(dangerOf("raw", { celery: "5.4.0", kombu: "5.4.2" })).toMatchObject({ kind: "kombu" });
  expect(dangerOf("harmless", { celery: "5.4.0", kombu: "5.4.2" })).toBeNull();
});

test("eventlet is known by its name, and before Celery 5.3 by its keys", () => {
  expect(isEventlet({ pool: { implementation: "celery.concurrency.eventlet:TaskPool" } })).toBe(true);
  expect(isEventlet({ pool: { "free-threads": 1, "running-threads": 0 } })).toBe(true);
  expect(isEventlet({ pool: { implementation: "celery.concurrency.gevent:TaskPool" } })).toBe(false);
  expect(isEventlet({ pool: { processes: [1] } })).toBe(false);
  expect(isEventlet("nothing")).toBe(false);
});
