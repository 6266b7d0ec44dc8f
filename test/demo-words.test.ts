import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import manifest from "../package.json" with { type: "json" };
import { type Answer, NEXT, slower, summary, unexpectedOldLine } from "../scripts/demo-words.ts";
import { objectionTo, probeCommandsOf } from "./probe-commands.ts";

const OURS: Answer = { line: "healthy: alive: w@x answered in 1 ms", exitCode: 0, ms: 41.4 };
const THEIRS: Answer = { line: "1 node online.", exitCode: 0, ms: 1_020 };

test("the table has a row for each scene, with both ends and times", () => {
  const rows = summary([
    { title: "it answers", ours: OURS, theirs: THEIRS },
    { title: "it is alone", ours: OURS, theirs: null },
    {
      title: "it waits",
      ours: { ...OURS, line: "unknown: broker-unreachable: x", exitCode: 1 },
      theirs: { ...THEIRS, exitCode: undefined, ms: 10_010 },
    },
  ]);
  expect(rows.map(stripVTControlCharacters)).toEqual([
    "WHAT HAPPENED  CELERY-PROBE                 EXIT  TIME   OLD LINE   TIME",
    "it answers     healthy: alive               0     41 ms  exit 0     1020 ms",
    "it is alone    healthy: alive               0     41 ms  not asked",
    "it waits       unknown: broker-unreachable  1     41 ms  no end     10 s",
  ]);
});

test("the old line is slower only where it was", () => {
  expect(slower(OURS, THEIRS)).toBe(
    "The old line says the same, 25 times as slowly: it starts Python for it.",
  );
  expect(slower(THEIRS, THEIRS)).toBe("The old line says the same.");
});

test.each([
  [0, "The old line says that all is well."],
  [69, "The old line got no answer this time: it waits for one second."],
  [undefined, "The old line is still waiting after 1020 ms."],
])("an end by %s that was not expected is told as it is", (exitCode, sentence) => {
  expect(unexpectedOldLine({ ...THEIRS, exitCode })).toBe(sentence);
});

test.each(NEXT)("%s, to try next, is there", (line) => {
  const script = /^npm (\S+)/.exec(line)?.[1];
  if (script !== undefined) expect(manifest.scripts).toHaveProperty(script);
  expect(probeCommandsOf(line).flatMap((command) => objectionTo(command) ?? [])).toEqual([]);
});
