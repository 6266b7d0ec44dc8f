import { expect, test } from "vitest";
import { type Finding, type Level } from "../../src/doctor/finding.ts";
import { firstOf } from "../../src/doctor/first.ts";
import type { LineKind } from "../../src/celery/line-kinds.ts";

/** Only what the order looks at. */
const bad = (code: Finding["code"], level: Level = "problem", facts: object = {}): Finding =>
  ({ code, level, about: null, facts }) as unknown as Finding;

const logged = (kind: LineKind, hasEnded: boolean, level: Level = "problem"): Finding =>
  bad("log", level, { kind: "known", its: { kind, hasEnded, count: 1, last: "words" }, part: "whole" });

const named = (...findings: readonly Finding[]) => firstOf(findings)?.code ?? null;

test.each<readonly [string, readonly Finding[], Finding["code"] | null]>([
  ["nothing is wrong", [bad("broker", "ok"), bad("worker", "ok"), bad("queue-length", "skipped")], null],
  ["a log says why the worker ended", [bad("worker"), bad("memory"), logged("crashed", true)], "log"],
  [
    "a log says why the worker never started, and the broker is missing",
    [bad("broker"), bad("worker"), logged("app-missing", true)],
    "log",
  ],
  [
    "a log says why the worker does not connect to the broker",
    [bad("worker"), logged("broker-clients", false)],
    "log",
  ],
  [
    "the log's problem is not the reason for the worker's",
    [bad("worker"), logged("unregistered", false)],
    "worker",
  ],
  [
    "a key that is not a list ended the worker, whose log has only the error's type",
    [bad("worker"), logged("unrecoverable", true), bad("queue-length", "problem", { kind: "no-list" })],
    "queue-length",
  ],
  [
    "a queue is long, and the worker has crashed",
    [bad("worker"), bad("queue-length", "problem", { kind: "told" }), logged("crashed", true)],
    "log",
  ],
  ["the worker has recovered", [bad("worker", "ok"), bad("memory"), logged("crashed", true)], "memory"],
  ["the pool's package is missing", [bad("broker"), bad("worker"), bad("pool-package")], "pool-package"],
  ["the broker is missing", [bad("time-limits", "warning"), bad("broker"), bad("worker")], "broker"],
  [
    "a queue is not consumed, and the soft limit is above the hard one",
    [bad("time-limits"), bad("queues-consumed")],
    "queues-consumed",
  ],
  [
    "many messages wait, and the limits are too close",
    [bad("time-limits", "warning"), bad("queue-length", "warning")],
    "queue-length",
  ],
  [
    "there is a problem, and many messages wait",
    [bad("queue-length", "warning"), bad("oom-kills")],
    "oom-kills",
  ],
  ...(["standstill", "queue-binding", "priority-lists", "late-tasks"] as const).map(
    (code) =>
      [
        `${code} is beside narrow limits`,
        [bad("time-limits", "warning"), bad(code, "warning")],
        code,
      ] as const,
  ),
  [
    "a broker has evicted keys, including a binding",
    [bad("queue-binding"), bad("broker-memory")].toReversed(),
    "broker-memory",
  ],
  ["the process shows what a hung worker waits for", [bad("worker"), bad("stuck")], "stuck"],
  [
    "a busy worker is stuck",
    [bad("worker", "warning"), bad("oom-kills"), bad("late-tasks", "warning"), bad("stuck")],
    "stuck",
  ],
  ["several findings have the same rank", [bad("memory", "warning"), bad("cpu", "warning")], "memory"],
])("the finding to begin with is the cause when %s", (_, findings, code) => {
  expect(named(...findings)).toBe(code);
});
