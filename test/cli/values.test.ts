import { describe, expect, test } from "vitest";
import {
  count,
  duration,
  nodes,
  onOff,
  oneOf,
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

test("oneOf names the words when given another", () => {
  expect(oneOf("text", "json")("json")).toEqual({ ok: true, value: "json" });
  expect(problem(oneOf("text", "json"), "yaml")).toBe("is not accepted: expected text or json");
});

test("onOff reads what environments write", () => {
  expect(["true", "TRUE", "1", "yes", "on"].map((text) => onOff(text).ok && onOff(text))).toEqual(
    Array(5).fill({ ok: true, value: true }),
  );
  expect(["false", "0", "no", "off"].map((text) => onOff(text))).toEqual(
    Array(4).fill({ ok: true, value: false }),
  );
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
