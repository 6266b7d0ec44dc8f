import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { RefusedCause, UnreachableCause } from "../../src/broker/failure.ts";
import type { Evidence } from "../../src/health/evidence.ts";
import type { Asked, Plan } from "../../src/health/plan.ts";
import type { CheckReport } from "../../src/health/report.ts";
import { type Gap, judge, type Reason } from "../../src/health/verdict.ts";
import { checkJson } from "../../src/render/json.ts";
import { page } from "../../src/render/speech.ts";
import { checkText } from "../../src/render/text.ts";

// Records, so that the compiler misses none.
const UNREACHABLE: Record<UnreachableCause, string> = {
  "connection-refused": "ECONNREFUSED",
  "name-not-found": "ENOTFOUND",
  "no-route": "EHOSTUNREACH",
  "connect-timeout": "1000 ms",
  "no-answer": "1000 ms",
  "connection-lost": "ECONNRESET",
  "connect-failed": "EPERM",
};
const REFUSED: Record<RefusedCause, string> = {
  "wrong-password": "WRONGPASS invalid username-password pair or user is disabled.",
  "password-needed": "NOAUTH Authentication required.",
  "password-not-wanted": "ERR AUTH <password> called without any password configured for the default user.",
  "no-permission": "NOPERM this user has no permissions to run the 'publish' command",
  "out-of-memory": "OOM command not allowed when used memory > 'maxmemory'.",
  "read-only": "READONLY You can't write against a read only replica.",
  loading: "LOADING Redis is loading the dataset in memory",
  "protected-mode": "DENIED Redis is running in protected mode",
  "too-many-clients": "ERR max number of clients reached",
  "no-such-database": "ERR DB index is out of range",
  "no-transactions": "ERR unknown command 'MULTI'",
  "wrong-type": "k.reply.celery.pidbox is a hash",
  "cannot-write": "MISCONF Redis is configured to save RDB snapshots",
  cluster: "MOVED 866 127.0.0.1:7001",
  "not-redis": 'Unknown RESP type 72 "H"',
  other: "ERR unknown command 'EXPIRE'",
};

function report(evidence: Evidence, asked: Asked = { kind: "nodes", nodes: ["celery@web-1"] }): CheckReport {
  const plan: Plan = {
    broker: {
      target: { host: "cache", port: 6379, db: 0, password: "hunter2" },
      shown: "redis://:***@cache:6379/0",
      origin: { kind: "environment", name: "CELERY_BROKER_URL" },
    },
    asked,
    destination: asked.kind === "nodes" ? asked.nodes : "everyone",
    channel: "/0.celery.pidbox",
    replies: { key: "k.reply.celery.pidbox", keep: 32 },
    pings: 2,
    timeout: 2_000,
    connectTimeout: 1_000,
    deadline: 5_000,
  };
  return {
    plan,
    evidence,
    verdict: judge(evidence, asked),
    elapsedMs: 91,
    unknownVariables: ["CELERY_PROBE_TIMOUT"],
  };
}

const line = (evidence: Evidence, asked?: Asked) => checkText(report(evidence, asked), false).join("\n");

function seen(more: Partial<Extract<Evidence, { kind: "asked" }>>): Evidence {
  return { kind: "asked", pings: 2, subscribers: 1, pongs: [], waitedMs: 4_012, cutShort: false, ...more };
}
const pong = (node: string, copies = 1) => ({ node, afterMs: 2.4, copies });

describe("the line", () => {
  test.each<[Evidence, Asked | undefined, string]>([
    [seen({ pongs: [pong("celery@web-1")] }), undefined, "healthy: alive: celery@web-1 answered in 2 ms"],
    [
      seen({ pongs: [pong("a@x"), pong("b@x")] }),
      { kind: "nodes", nodes: ["a@x", "b@x"] },
      "healthy: alive: 2 nodes (a@x, b@x) answered in 2 ms",
    ],
    [
      seen({ pongs: [pong("celery@web-1", 2)] }),
      undefined,
      "healthy: alive: celery@web-1 answered in 2 ms; " +
        "hint: celery@web-1 answered more than once: give each worker a name of its own with -n",
    ],
    [
      seen({}),
      undefined,
      "unknown: undecided: no pong from celery@web-1 within 4.0 s (2 pings); " +
        "1 connection subscribed to /0.celery.pidbox; hint: a worker that is blocked by a task, " +
        "stopped or named otherwise looks like this; the name is set with --node",
    ],
    [
      seen({ pongs: [pong("a@x")], subscribers: 3, pings: 1, waitedMs: 850, cutShort: true }),
      { kind: "nodes", nodes: ["a@x", "b@x"] },
      "unknown: undecided: no pong from b@x within 850 ms (1 ping, cut short by --deadline); a@x answered; " +
        "3 connections subscribed to /0.celery.pidbox; hint: a worker that is blocked by a task, " +
        "stopped or named otherwise looks like this; the name is set with --node",
    ],
    [
      seen({ pongs: [pong("a@x")], subscribers: 2 }),
      { kind: "any", atLeast: 3 },
      "unknown: undecided: 1 of 3 nodes answered within 4.0 s (2 pings); a@x answered; " +
        "2 connections subscribed to /0.celery.pidbox; hint: start the missing workers, or lower --min-nodes",
    ],
    [
      seen({ subscribers: 0 }),
      undefined,
      "unknown: undecided: nobody is subscribed to /0.celery.pidbox on redis://:***@cache:6379/0, " +
        "so celery@web-1 cannot answer; hint: is the worker running, and connected to this broker and database?",
    ],
    [
      seen({ subscribers: 0 }),
      { kind: "any", atLeast: 1 },
      "unknown: undecided: nobody is subscribed to /0.celery.pidbox on redis://:***@cache:6379/0, " +
        "so no worker can answer; hint: is the worker running, and connected to this broker and database?",
    ],
    [
      { kind: "no-time" },
      undefined,
      "unknown: undecided: the deadline was over before a ping could be sent; hint: give --deadline more time",
    ],
    [
      { kind: "interrupted", signal: "SIGTERM" },
      undefined,
      "unknown: undecided: ended by SIGTERM before there was an answer",
    ],
  ])("of %j", (evidence, asked, expected) => {
    expect(line(evidence, asked)).toBe(expected);
  });

  const failures: Evidence[] = [
    ...Object.entries(UNREACHABLE).map(([cause, detail]): Evidence => ({
      kind: "broker-failed",
      pings: 0,
      failure: { kind: "unreachable", cause: cause as UnreachableCause, detail },
    })),
    ...Object.entries(REFUSED).map(([cause, detail]): Evidence => ({
      kind: "broker-failed",
      pings: 0,
      failure: { kind: "refused", cause: cause as RefusedCause, command: "PUBLISH", detail },
    })),
  ];

  test("has a sentence and a hint of its own for every way in which a broker fails", () => {
    const lines = failures.map((evidence) => line(evidence));
    for (const text of lines) {
      expect(text).toMatch(
        /^unknown: broker-(unreachable|refused): .*redis:\/\/:\*\*\*@cache:6379\/0.*; hint: .*[^.]$/,
      );
      expect(text).not.toContain("undefined");
    }
    expect(new Set(lines.map((text) => text.replace(/: [A-Z]+ .*; hint/, "; hint"))).size).toBe(lines.length);
    expect(new Set(lines.map((text) => text.split("; hint: ")[1])).size).toBeGreaterThan(lines.length - 3);
    expect(lines.join("\n")).toMatchSnapshot();
  });
});

describe("what follows from --verbose and --output json", () => {
  test("is the evidence below the line", () => {
    expect(checkText(report(seen({ pongs: [pong("celery@web-1")] })), true)).toMatchSnapshot();
  });

  test("is one object with the same words", () => {
    const everything: Evidence[] = [
      seen({ pongs: [pong("celery@web-1")] }),
      seen({}),
      { kind: "no-time" },
      { kind: "interrupted", signal: "SIGINT" },
      {
        kind: "broker-failed",
        pings: 0,
        failure: { kind: "refused", cause: "loading", command: "TYPE", detail: "LOADING x\r\ny\u007f" },
      },
    ];
    for (const evidence of everything) {
      const text = checkJson(report(evidence));
      const object = JSON.parse(text) as Record<string, unknown>;
      expect(text.trimEnd()).not.toContain("\n");
      expect(`${String(object["status"])}: ${String(object["reason"])}: ${String(object["message"])}`).toBe(
        line(evidence).split("; hint: ")[0],
      );
      expect(object).toMatchSnapshot();
    }
  });

  test("stays below what Docker keeps when a fleet answers", () => {
    const pongs = Array.from({ length: 5_000 }, (_, n) =>
      pong(`celery@worker-with-a-long-name-${n}.example.org`),
    );
    const fleet = report(seen({ pongs }), { kind: "any", atLeast: 5_000 });
    expect(Buffer.byteLength(checkJson(fleet))).toBeLessThan(4_096);
    const named: Asked = { kind: "nodes", nodes: pongs.slice(0, 300).map(({ node }) => node) };
    expect(Buffer.byteLength(checkJson(report(seen({}), named)))).toBeLessThan(4_096);
    expect(Buffer.byteLength(page(checkText(fleet, true)))).toBeLessThanOrEqual(4_096);
  });
});

test("docs/reasons.md has a section for each reason and each way in which a broker fails, and no other", () => {
  const reasons: Record<Reason, true> = {
    alive: true,
    "broker-unreachable": true,
    "broker-refused": true,
    undecided: true,
  };
  const gaps: Record<Gap["kind"], true> = {
    silent: true,
    "nobody-subscribed": true,
    "no-time": true,
    interrupted: true,
  };
  const text = readFileSync(join(import.meta.dirname, "../../docs/reasons.md"), "utf8");
  const sections = [...text.matchAll(/^## `([a-z-]+)`/gm)].map(([, name]) => name);
  const rows = [...text.matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, name]) => name);
  expect(sections.sort()).toEqual(Object.keys(reasons).sort());
  expect(rows.sort()).toEqual(
    [...Object.keys(UNREACHABLE), ...Object.keys(REFUSED), ...Object.keys(gaps)].sort(),
  );
});
