import { expect, test } from "vitest";
import { log } from "../../src/doctor/topics/log.ts";
import type { Files } from "../../src/machine/parts.ts";
import { success } from "../../src/outcome.ts";
import { procWith, WORKER } from "../health/fake-worker.ts";
import { findingWords } from "../../src/render/findings/finding-words.ts";
import { fakeScene, only } from "./fake-scene.ts";
import { about, logged, silence } from "./level-scenes.ts";

/** 2026-11-25 10:00:00 UTC, when the process was started, in seconds since 1970. */
const TEN = Date.UTC(2026, 10, 25, 10) / 1_000;

/** For how long it runs, in seconds: fake-worker.ts has the uptime. */
const AGE = 950;

const TEXT = [
  "[2026-11-25 09:59:58,000: ERROR/MainProcess] Received unregistered task of type 'shop.mail'.",
  "[2026-11-25 10:00:01,000: INFO/MainProcess] words",
  "",
].join("\n");

/** What is found in this log of a worker's -f. */
function inFile(text: string, clock: number[] = [], check: Parameters<typeof fakeScene>[0]["check"] = {}) {
  const proc = procWith([{ ...WORKER, words: [...WORKER.words, "-f", "/w.log"] }]);
  const files = {
    look: () =>
      success({ kind: "file", uid: 0, gid: 0, mode: 0o644, isReadOnly: false, bytes: 1, modifiedS: TEN + 1 }),
    tail: () => success(text),
  };
  const { scene } = fakeScene({
    proc: [proc, proc],
    check,
    told: { stats: {} },
    host: {
      files: () => Promise.resolve(files as unknown as Files),
      epochSeconds: () => clock.shift() ?? TEN + AGE,
    },
  });
  return log(scene);
}

test("a log is cut at the process's start even when the machine paused between two clock readings", async () => {
  // Read, and then nothing for five seconds: the age is that much older.
  const found = await inFile(TEXT, [TEN + AGE - 5]);
  expect(found.map(({ level, facts }) => [level, facts])).toMatchObject([
    ["ok", { kind: "clean", part: "since-start" }],
    ["ok", { kind: "earlier" }],
  ]);
});

const CRASHED = [
  "[2026-11-25 09:59:58,000: CRITICAL/MainProcess] Unrecoverable error: ValueError('x')",
  "[2026-11-25 10:00:01,000: INFO/MainProcess] words",
  "",
].join("\n");

test.each([
  [{ status: "unhealthy", reason: "dead", how: "ended", instead: null, ...about }, "problem"],
  [{ status: "healthy", reason: "starting", ageMs: 1_000, graceMs: 30_000, ...about }, "problem"],
  [{ status: "healthy", reason: "alive", pongs: [] }, "ok"],
  [{ status: "healthy", reason: "busy", ...silence, ...about }, "ok"],
] as const)("for a worker that is %j, the end of its earlier run is %s", async (verdict, level) => {
  const [clean, past] = await inFile(CRASHED, [], { verdict });
  expect([clean?.level, past?.level]).toEqual(["ok", level]);
  const words = past === undefined ? "" : findingWords(past).seen;
  expect(words).toMatch(level === "ok" ? /^before its last/ : /, which ended it, 1 × before its last start/);
});

test.each([
  ["knows it", ["blog.publish"], /celery@web-1 knows it: give each application a queue/],
  ["knows others", ["shop.add"], /import their module/],
])("the hint about an unregistered task fits when a worker %s", async (_, registered, next) => {
  const line =
    "[2026-11-25 10:00:01,000: ERROR/MainProcess] Received unregistered task of type 'blog.publish'.\n";
  const { scene } = fakeScene({ ...logged(line), told: { stats: {}, registered } });
  expect(findingWords(only(await log(scene), "log")).next).toMatch(next);
});
