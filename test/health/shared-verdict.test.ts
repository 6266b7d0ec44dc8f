import { expect, test } from "vitest";
import {
  brokerTimeMs,
  decodeShared,
  encodeShared,
  type SharedVerdict,
} from "../../src/health/shared-verdict.ts";

const VERDICT: SharedVerdict = {
  status: "healthy",
  reason: "alive",
  atMs: 1_800_000_000_123,
  host: "mon-1",
  version: "0.9.0",
};
const TEXT =
  '{"schema":1,"status":"healthy","reason":"alive","at_ms":1800000000123,"host":"mon-1","version":"0.9.0"}';

const field = (changed: object) => JSON.stringify({ ...(JSON.parse(TEXT) as object), ...changed });

test("a verdict is written as small JSON, and read as it was written", () => {
  expect(encodeShared(VERDICT)).toBe(TEXT);
  expect(decodeShared(TEXT)).toEqual(VERDICT);
  expect(decodeShared(encodeShared({ ...VERDICT, atMs: 1.7 }))?.atMs).toBe(1);
});

test("a later version may add what this one does not know", () => {
  expect(decodeShared(field({ silent_s: 3 }))).toEqual(VERDICT);
});

test("a host with an odd name shares too", () => {
  expect(decodeShared(encodeShared({ ...VERDICT, host: "büro" }))?.host).toBe("unnamed");
  expect(decodeShared(encodeShared({ ...VERDICT, host: "h".repeat(254) }))?.host).toBe("unnamed");
});

test.each<[what: string, text: unknown]>([
  ["nothing", null],
  ["an empty text", ""],
  ["a number", 7],
  ["half of one", TEXT.slice(0, -3)],
  ["a list", `[${TEXT}]`],
  ["one with ever more behind it", TEXT.padEnd(1_001)],
  ["another schema", field({ schema: 2 })],
  ["no schema", field({ schema: undefined })],
  ["an unknown status", field({ status: "unknown" })],
  ["a status of another kind", field({ status: ["healthy"] })],
  ["a reason with a line in it", field({ reason: "alive\nhealthy: alive" })],
  ["a reason that is long", field({ reason: "a".repeat(41) })],
  ["no time", field({ at_ms: undefined })],
  ["a time as a text", field({ at_ms: "1800000000123" })],
  ["a negative time", field({ at_ms: -1 })],
  ["a time that is no number", field({ at_ms: null })],
  ["a time with a fraction", field({ at_ms: 1.5 })],
  ["a host with a line in it", field({ host: "mon-1\n" })],
  ["a host that colours a terminal", field({ host: "\u001b[31mmon-1" })],
  ["a host with a blank", field({ host: "mon 1" })],
  ["no host", field({ host: "" })],
  ["a version that is a sentence", field({ version: "0.9.0 or so" })],
])("%s is no verdict", (_, text) => {
  expect(decodeShared(text)).toBeNull();
});

test.each<[answer: unknown, ms: number | null]>([
  [["1800000000", "123456"], 1_800_000_000_123.456],
  [["0", "0"], 0],
  [["1800000000"], null],
  [["1800000000", "1000000"], null],
  [["x", "1"], null],
  [["-1", "1"], null],
  [[["1"], "1"], null],
  ["OK", null],
  [null, null],
])("TIME that answers %j is %s", (answer, ms) => {
  expect(brokerTimeMs(answer)).toBe(ms);
});
