import { expect, test } from "vitest";
import { endOf, type Runner, runsAmong, runsOf } from "../../src/celery/log-runs.ts";

const NODE = "celery@web-1";
const OTHER = "celery@web-2";

/** 2026-11-25 10:00:00 UTC, in seconds since 1970. */
const TEN = Date.UTC(2026, 10, 25, 10) / 1_000;
const HOUR = 3_600;

const BANNER = ` -------------- ${NODE} v5.7.0 (name)`;
const READY = `[2026-11-25 10:00:02,000: INFO/MainProcess] ${NODE} ready.`;

/** Not seen here: only the log can tell when it was started. */
const REMOTE: Runner = { node: NODE, startedS: null };
const OTHER_REMOTE: Runner = { node: OTHER, startedS: null };

/** A line of a time of day, `10:00:00,000`. */
function stamped(time: string, words = "words"): string {
  return `[2026-11-25 ${time}: ERROR/MainProcess] ${words}`;
}

/** A log from stdin, in two parts. */
function cutOf(lines: readonly string[], ...runners: readonly Runner[]): readonly (string[] | null)[] {
  const { before, since } = runsAmong({ text: lines.join("\n"), writtenS: null }, runners);
  return [before === null ? null : before.split("\n"), since.split("\n")];
}

test.each([
  ["the banner", ["old", BANNER, "new"], 1],
  ["the last banner", [BANNER, READY, "old", BANNER, "new"], 3],
  ["its banner, before its 'ready'", ["old", BANNER, "new", READY, "newer"], 1],
  ["its banner of Celery 5.2", ["old", ` -------------- ${NODE} v5.2.7 (dawn-chorus)`, "new"], 1],
  ["its 'ready', if it has no banner", ["old", READY, "older", READY, "new"], 3],
  ["its 'ready', if the banner is the previous run's", [BANNER, READY, "old", READY, "new"], 3],
  ["its banner in a line of JSON", ["old", `{"level": "INFO", "message": "${NODE} ready."}`, "new"], 1],
  ["its banner after Docker's time stamps", ["old", `2026-11-25T10:00:00Z ${BANNER}`, "new"], 1],
  ["its banner with line ends of Windows", ["old\r", `${READY}\r`, "new\r"], 1],
])("a log is cut at %s", (_, lines, at) => {
  expect(cutOf(lines, REMOTE)).toEqual([lines.slice(0, at), lines.slice(at)]);
});

test.each([
  ["no worker is known", ["old", BANNER, READY, "new"], []],
  ["another worker starts in it", ["old", BANNER, READY, "new"], [OTHER_REMOTE]],
  ["a worker that has ended starts in it too", ["old", `${OTHER} ready.`, READY, "new"], [REMOTE]],
  ["its banner is from a worker that has ended", ["old", BANNER, `${OTHER} ready.`], [OTHER_REMOTE]],
  [
    "a worker with the same end of its name starts",
    ["old", `my-${NODE} ready.`, `my${NODE} ready.`],
    [REMOTE],
  ],
  [
    "a worker with the same beginning of its name starts",
    ["old", `${NODE}0 ready.`, ` -------------- ${NODE}0 v5.7.0`],
    [REMOTE],
  ],
  [
    "a dot of the name is another character",
    ["celery@webx1 ready."],
    [{ node: "celery@web.1", startedS: null }],
  ],
  ["it is empty", [""], [REMOTE]],
])("a log is not cut when %s", (_, lines, runners) => {
  expect(cutOf(lines, ...runners)).toEqual([null, lines]);
});

test("the earliest start counts when several workers start in one log", () => {
  const lines = ["old", `${OTHER} ready.`, "new", READY, "newer"];
  const seen: Runner = { node: "celery@web-3", startedS: TEN };
  expect(cutOf(lines, REMOTE, OTHER_REMOTE, seen)).toEqual([["old"], lines.slice(1)]);
});

/** Where its own file is cut whose process was started at ten; null: it is not. */
function ownCut(
  lines: readonly string[],
  writtenS: number | null,
  startedS: number | null = TEN,
): number | null {
  const { before, since } = runsOf({ text: lines.join("\n"), writtenS }, { node: NODE, startedS });
  const at = before === null ? null : before === "" ? 0 : before.split("\n").length;
  expect(since).toBe(lines.slice(at ?? 0).join("\n"));
  return at;
}

test.each([
  ["in UTC", "09:59:59,800", "10:00:00,000"],
  ["in UTC, a hundredth of a second early", "09:59:59,800", "09:59:59,990"],
  ["in India", "15:29:59,800", "15:30:00,000"],
  ["in Nepal", "15:44:59,800", "15:45:00,000"],
  ["in Newfoundland", "06:29:59,800", "06:30:00,000"],
])("the lines since the process's start are found in a file %s", (_, before, after) => {
  const lines = [stamped(before), "Traceback", stamped(after), "Traceback"];
  expect(ownCut(lines, TEN)).toBe(2);
  expect(ownCut(lines, TEN + 4)).toBe(2);
});

test("a file that was last written before the start belongs completely to another run", () => {
  const lines = [stamped("09:00:00,000"), stamped("09:30:00,000"), ""];
  expect(ownCut(lines, TEN - HOUR / 2)).toBe(3);
});

test.each([
  ["lines without a stamp", ["old", "new"], TEN],
  ["a file that was written after its last stamp", [stamped("09:00:00,000")], TEN - HOUR + 60],
  ["a file that was written before its last stamp", [stamped("09:00:00,000")], TEN - HOUR - 60],
  ["a log that is not a file", [stamped("09:00:00,000")], null],
])("%s cannot be cut by the start of the process", (_, lines, writtenS) => {
  expect(ownCut(lines, writtenS)).toBeNull();
});

test("the log of a process with unknown start can still be cut", () => {
  expect(ownCut([stamped("09:00:00,000")], TEN - HOUR, null)).toBeNull();
  expect(ownCut([stamped("09:00:00,000"), READY], TEN + 2, null)).toBe(1);
});

test("the process's start is between the 'ready' of the run before and its own", () => {
  const old = stamped("09:00:00,000", `${NODE} ready.`);
  const lines = [old, stamped("09:59:59,000"), stamped("10:00:01,000"), READY, stamped("10:00:03,000")];
  expect(ownCut(lines, TEN + 3)).toBe(2);
  // SIGHUP starts it anew in the same process.
  expect(ownCut(lines, TEN + 3, TEN - HOUR - 2)).toBe(3);
  // It is not ready yet.
  expect(ownCut(lines.slice(0, 3), TEN + 1)).toBe(2);
});

test.each([
  ["", "", true],
  ["a", "a", true],
  ["a\nb\n", "a\nb\n", true],
  ["a\n\n \r\n\n  b\n", "a\n  b\n", true],
  ["\n".repeat(4_000_000), "\n", true],
  ["x\n".repeat(200_001), "x\n".repeat(200_000), false],
])("the end of a log is its last 200,000 lines without blank lines (%#)", (text, end, isWhole) => {
  const found = endOf(text);
  expect(found.isWhole).toBe(isWhole);
  expect(found.text === end).toBe(true);
});
