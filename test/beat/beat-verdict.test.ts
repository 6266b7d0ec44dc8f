import { expect, test } from "vitest";
import { type BeatEvidence, judgeBeat, type Renewed } from "../../src/beat/beat-verdict.ts";

type Only = NonNullable<BeatEvidence["only"]>;

const BEAT = {
  pid: 7,
  startTicks: 1,
  isEmbedded: false,
  isLeft: false,
  given: { values: new Map<string, string>(), flags: new Set<string>() },
  environment: null,
};

const THERE = { kind: "there", path: "s", writtenS: 0 } as const;

/** A beat that has run for an hour and is well. */
const WELL: Only = {
  ageS: 3_600,
  haltedPid: null,
  ended: null,
  schedule: THERE,
  writtenAgoS: 100,
  maxAgeS: 600,
  answers: null,
  lock: { kind: "not-asked" },
};

const MISSING = { kind: "missing", path: "s" } as const;
const GONE = { kind: "gone", key: "k", isNamed: true } as const;
const YOUNG = { ageS: 59 };
const held = (others: Renewed | null) => ({ kind: "held", key: "k", ttlS: 60, others }) as const;

test.each<[string, Partial<Only>]>([
  ["healthy: running", {}],
  ["healthy: running", { answers: true, lock: held(null) }],
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
  ["healthy: waiting", { lock: held({ agoS: 600, maxIntervalS: 300 }) }],
  ["unhealthy: lock-left", { lock: held({ agoS: 601, maxIntervalS: 300 }) }],
  // Its settings are not known.
  ["healthy: waiting", { lock: held({ agoS: null, maxIntervalS: 1 }) }],
  ["unhealthy: ended", { ended: { zombie: 9 }, ...YOUNG }],
  ["unhealthy: ended", { ended: { zombie: null }, ageS: 60 }],
  ["healthy: starting", { ended: { zombie: null }, ...YOUNG }],
  ["unhealthy: stopped", { haltedPid: 8, answers: false }],
])("%s if the only beat shows %j", (expected, shown) => {
  expect(said({ ...NOBODY, beats: [BEAT], only: { ...WELL, ...shown } })).toBe(expected);
});

const NOBODY = { beats: [], possible: [], another: null, isInside: true, only: null };
const LEFT = { ...BEAT, isLeft: true };

test.each<[string, BeatEvidence]>([
  ["unknown: no-processes", { ...NOBODY, beats: null }],
  ["unhealthy: no-beat", NOBODY],
  ["unknown: no-processes", { ...NOBODY, isInside: false }],
  ["unknown: unrecognised", { ...NOBODY, possible: [{ pid: 7, words: "python run.py" }] }],
  ["unhealthy: no-beat", { ...NOBODY, another: { pid: 7, words: "sleep 9" } }],
  ["unhealthy: several-beats", { ...NOBODY, beats: [BEAT, BEAT] }],
  ["unhealthy: several-beats", { ...NOBODY, beats: [BEAT, LEFT] }],
  ["unhealthy: left-behind", { ...NOBODY, beats: [LEFT] }],
  ["unhealthy: left-behind", { ...NOBODY, beats: [LEFT, LEFT] }],
])("%s if %j", (expected, evidence) => {
  expect(said(evidence)).toBe(expected);
});

function said(evidence: BeatEvidence): string {
  const { status, reason } = judgeBeat(evidence);
  return `${status}: ${reason}`;
}
