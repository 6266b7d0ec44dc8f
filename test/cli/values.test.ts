import { describe, expect, test } from "vitest";
import {
  count,
  duration,
  filePath,
  keyPrefix,
  limitOf,
  nodes,
  onOff,
  oneOf,
  listenPlace,
  queueLimit,
  queues,
  type ValueParser,
  variableName,
} from "../../src/cli/values.ts";

function problem(parser: ValueParser<unknown>, text: string): string {
  const value = parser(text);
  return value.ok ? "accepted" : value.problem;
}

describe("duration", () => {
  test.each([
    ["1s", 1_000],
    ["500ms", 500],
    ["1.5s", 1_500],
    ["2m", 120_000],
    ["1h", 3_600_000],
    ["24h", 86_400_000],
  ])("reads %s as %d ms", (text, ms) => {
    expect(duration(text)).toEqual({ ok: true, value: ms });
  });

  test.each([
    ["5", "has no unit: expected a duration such as 500ms, 2s or 1m"],
    ["", "is not a duration: expected a duration such as 500ms, 2s or 1m"],
    ["-1s", "is not a duration: expected a duration such as 500ms, 2s or 1m"],
    ["soon", "is not a duration: expected a duration such as 500ms, 2s or 1m"],
    ["1s ", "is not a duration: expected a duration such as 500ms, 2s or 1m"],
    ["1e3s", "is not a duration: expected a duration such as 500ms, 2s or 1m"],
    ["1d", "has the unit 'd': expected ms, s, m or h"],
    ["1S", "has the unit 'S': expected ms, s, m or h"],
    ["1constructor", "has the unit 'constructor': expected ms, s, m or h"],
    ["0s", "is too short: expected 1ms or more"],
    ["0.1ms", "is too short: expected 1ms or more"],
    ["25h", "is too long: expected 24h or less"],
  ])("refuses %j", (text, expected) => {
    expect(problem(duration, text)).toBe(expected);
  });
});

test.each(["x", "", "-1", "1.5", "6", "1e0", " 1"])("count refuses %j", (text) => {
  expect(problem(count(0, 5), text)).toBe("is not accepted: expected a whole number from 0 to 5");
});

test("count reads both ends of its range", () => {
  expect(count(0, 5)("0")).toEqual({ ok: true, value: 0 });
  expect(count(0, 5)("5")).toEqual({ ok: true, value: 5 });
});

test("oneOf names its words when given another one", () => {
  expect(oneOf("text", "json")("json")).toEqual({ ok: true, value: "json" });
  expect(problem(oneOf("text", "json"), "yaml")).toBe("is not accepted: expected text or json");
});

test("onOff reads the usual words of environments", () => {
  expect(["true", "TRUE", "1", "yes", "on"].map((text) => onOff(text).ok && onOff(text))).toEqual(
    Array(5).fill({ ok: true, value: true }),
  );
  expect(["false", "0", "no", "off"].map((text) => onOff(text))).toEqual(
    Array(4).fill({ ok: true, value: false }),
  );
  expect(problem(onOff, "constructor")).toBe("is not accepted: expected true or false");
  expect(problem(onOff, "maybe")).toBe("is not accepted: expected true or false");
});

test("nodes splits at commas", () => {
  expect(nodes("celery@a, w@%h")).toEqual({ ok: true, value: ["celery@a", "w@%h"] });
});

test.each(["", "a@x,", "a\tb@x", "\n", "@", "a@\u0000"])("nodes refuses %j", (text) => {
  expect(problem(nodes, text)).toContain("is not a node name: expected name@host");
});

test("variableName refuses a URL", () => {
  expect(variableName("AIRFLOW__CELERY__BROKER_URL").ok).toBe(true);
  expect(problem(variableName, "redis://x")).toContain("is not the name of a variable");
});

test("queues splits at commas", () => {
  expect(queues("celery, mail.high")).toEqual({ ok: true, value: ["celery", "mail.high"] });
});

test.each(["", "a,", ",", "a\tb", "x".repeat(256)])("queues refuses %j", (text) => {
  expect(problem(queues, text)).toBe("is not a queue's name: expected one such as celery");
});

describe("listenPlace", () => {
  test.each([
    ["127.0.0.1:9540", { kind: "tcp", host: "127.0.0.1", port: 9_540 }],
    ["0.0.0.0:0", { kind: "tcp", host: "0.0.0.0", port: 0 }],
    ["localhost:65535", { kind: "tcp", host: "localhost", port: 65_535 }],
    ["[::1]:9540", { kind: "tcp", host: "::1", port: 9_540 }],
    ["/run/probe.sock", { kind: "socket", path: "/run/probe.sock" }],
  ])("reads %s", (text, value) => {
    expect(listenPlace(text)).toEqual({ ok: true, value });
  });

  test.each([
    "",
    "9540",
    ":9540",
    "localhost",
    "host:",
    "host:65536",
    "::1:9540",
    "http://x:1",
    "a b:1",
    "run/x.sock",
    "host:9540/x",
  ])("refuses %j", (text) => {
    expect(problem(listenPlace, text)).toMatch(/^is not an address: expected one such as 127\.0\.0\.1:9540/);
  });

  test("refuses a path that no socket can have", () => {
    expect(problem(listenPlace, `/${"x".repeat(107)}`)).toBe(
      "is too long for a socket: expected 107 bytes or less",
    );
    expect(problem(listenPlace, "/a\0b")).toMatch(/^is not a path: expected /);
  });
});

describe("queueLimit", () => {
  test.each([
    ["1000", [{ queue: null, limit: 1_000 }]],
    ["0", [{ queue: null, limit: 0 }]],
    [
      "celery=5, 9",
      [
        { queue: "celery", limit: 5 },
        { queue: null, limit: 9 },
      ],
    ],
    // A queue's name may hold the sign itself.
    ["a=b=7", [{ queue: "a=b", limit: 7 }]],
  ])("reads %s", (text, limits) => {
    expect(queueLimit(text)).toEqual({ ok: true, value: limits });
  });

  test.each(["", "celery", "celery=", "=5", "-1", "1.5", "a=x", "5,", "1e3", "a\t=5", "1000000000"])(
    "refuses %j",
    (text) => {
      expect(problem(queueLimit, text)).toBe(
        "is not a limit: expected a whole number such as 1000, or a queue and a number such as celery=1000",
      );
    },
  );
});

test("filePath refuses impossible paths", () => {
  expect(filePath("/run/worker.pid")).toEqual({ ok: true, value: "/run/worker.pid" });
  for (const text of ["", "/run/\0"]) {
    expect(problem(filePath, text)).toBe("is not a path: expected one such as /run/worker.pid");
  }
});

test("keyPrefix reads any text without patterns, even an empty text", () => {
  for (const text of ["", "app1:", "{tag}/", "é"]) expect(keyPrefix(text)).toEqual({ ok: true, value: text });
  for (const text of ["a*", "a?", "[a", "a]", "a\\", "a\n"]) {
    expect(problem(keyPrefix, text)).toBe(
      "is not a key prefix: expected text without * ? [ ] \\, such as app1:",
    );
  }
});

test.each([
  ["a", [], null],
  ["a", [{ queue: null, limit: 5 }], 5],
  [
    "a",
    [
      { queue: "a", limit: 3 },
      { queue: null, limit: 5 },
    ],
    3,
  ],
  ["b", [{ queue: "a", limit: 3 }], null],
  [
    "a",
    [
      { queue: "a", limit: 3 },
      { queue: "a", limit: 4 },
    ],
    4,
  ],
  ["a", [{ queue: "a", limit: 0 }], 0],
])("the limit of %s with %j is %s", (queue, limits, limit) => {
  expect(limitOf(queue, limits)).toBe(limit);
});
