import { expect, test } from "vitest";
import { type BeatEvidence, judgeBeat } from "../../src/beat/beat-verdict.ts";

type Only = NonNullable<BeatEvidence["only"]>;

const BEAT = {
  pid: 7,
  startTicks: 1,
  isEmbedded: false,
  given: { values: new Map<string, string>(), flags: new Set<string>() },
  environment: null,
  state: "S",
};

const THERE = { kind: "there", path: "s", writtenS: 0 } as const;

/** A beat that has run for an hour and is well. */
const WELL: Only = {
  ageS: 3_600,
  isHalted: false,
  endedChild: null,
  schedule: THERE,
  writtenAgoS: 100,
  maxAgeS: 600,
  answers: null,
  lock: { kind: "not-asked" },
};

const MISSING = { kind: "missing", path: "s" } as const;
const GONE = { kind: "gone", key: "k", isNamed: true } as const;
const YOUNG = { ageS: 59 };

test.each<[string, Partial<Only>]>([
  ["healthy: running", {}],
  ["healthy: running", { answers: true, lock: { kind: "held", key: "k", ttlS: 60 } }],
  ["healthy: running", { writtenAgoS: 600 }],
  ["healthy: running", { writtenAgoS: null }],
  // The file is that of the beat before it.
  ["healthy: running", { writtenAgoS: 9_000, ageS: 599 }],
  ["healthy: running", { schedule: { kind: "unknown" }, writtenAgoS: null }],
  ["healthy: running", { schedule: { kind: "forbidden", path: "s" }, writtenAgoS: null }],
  ["healthy: running", { schedule: { kind: "none", scheduler: "x" }, writtenAgoS: null }],
  ["unhealthy: schedule-stale", { writtenAgoS: 601 }],
  ["unhealthy: schedule-deleted", { schedule: { kind: "deleted", path: "s" }, ...YOUNG }],
  ["unhealthy: schedule-missing", { schedule: MISSING, writtenAgoS: null }],
  ["healthy: starting", { schedule: MISSING, writtenAgoS: null, ...YOUNG }],
  ["unhealthy: silent", { answers: false }],
  ["healthy: starting", { answers: false, ...YOUNG }],
  ["unhealthy: lock-gone", { lock: GONE }],
  ["healthy: starting", { lock: GONE, ...YOUNG }],
  // Another prefix, another server, or no lock at all.
  ["healthy: running", { lock: { ...GONE, isNamed: false } }],
  ["unhealthy: ended", { endedChild: 9 }],
  ["unhealthy: stopped", { isHalted: true, answers: false }],
])("%s where the only beat shows %j", (expected, shown) => {
  expect(said({ ...NOBODY, beats: [BEAT], only: { ...WELL, ...shown } })).toBe(expected);
});

const NOBODY = { beats: [], possible: [], isInside: true, only: null };

test.each<[string, BeatEvidence]>([
  ["unknown: no-processes", { ...NOBODY, beats: null }],
  ["unhealthy: no-beat", NOBODY],
  ["unknown: no-processes", { ...NOBODY, isInside: false }],
  ["unknown: unrecognised", { ...NOBODY, possible: [{ pid: 7, words: "python run.py" }] }],
  ["unhealthy: several-beats", { ...NOBODY, beats: [BEAT, BEAT] }],
])("%s where %j", (expected, evidence) => {
  expect(said(evidence)).toBe(expected);
});

function said(evidence: BeatEvidence): string {
  const { status, reason } = judgeBeat(evidence);
  return `${status}: ${reason}`;
}
