import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { LineKind } from "../../src/celery/line-kinds.ts";
import { knownLines } from "../../src/celery/known-lines.ts";
import { endOf } from "../../src/celery/log-runs.ts";
import { FAILURES } from "../world/failures.ts";

/** Logs of real workers and beats, by `test/world/record-logs.ts`. */
const FOLDER = join(import.meta.dirname, "../fixtures/logs");

/** What the log of each failure is known for: the kind, how many records, and whether they have ended it. */
const EXPECTED: Readonly<Record<string, readonly (readonly [LineKind, number, boolean])[]>> = {
  "app-behind": [["bad-option", 1, true]],
  "bad-attribute": [["app-missing", 1, true]],
  "bad-module": [["app-missing", 1, true]],
  "bad-option": [["bad-option", 1, true]],
  "bad-value": [["bad-option", 1, true]],
  circular: [["circular-import", 1, true]],
  "corrupt-schedule": [["schedule", 1, false]],
  crossslot: [["broker-cluster", 1, true]],
  "dotted-attribute": [["app-missing", 1, true]],
  "improperly-configured": [["not-configured", 1, true]],
  "key-error": [["crashed", 1, true]],
  loading: [["broker-loading", 1, false]],
  "lock-lost": [["lock-lost", 1, true]],
  "max-clients": [["broker-clients", 1, false]],
  misconf: [["broker-misconf", 1, false]],
  "no-broker": [["no-broker", 1, false]],
  "no-celery": [["app-missing", 1, true]],
  "no-redis": [["redis-missing", 1, true]],
  noperm: [["broker-rights", 1, true]],
  operational: [["publish-failed", 1, false]],
  "pid-file": [["pid-file", 1, true]],
  "pid-file-beat": [["pid-file", 1, true]],
  "read-only": [["read-only", 1, true]],
  "read-only-pid": [["read-only", 1, true]],
  readonly: [["broker-replica", 1, true]],
  "result-store": [["result-store", 1, false]],
  "signal-9": [["child-killed", 1, false]],
  "signal-11": [["child-crashed", 1, false]],
  "signal-15": [["child-stopped", 1, false]],
  syntax: [["crashed", 1, true]],
  unrecoverable: [["broker-full", 1, true]],
  ...Object.fromEntries(
    Object.keys(FAILURES)
      .filter((name) => name.startsWith("format-"))
      .map((name) => [name, [["no-space", 1, false]]] as const),
  ),
};

test("each failure has a log from the oldest and the newest Celery", () => {
  const names = Object.keys(FAILURES).flatMap((name) => [`${name}.5.2.7.log`, `${name}.5.7.0.log`]);
  expect(readdirSync(FOLDER).sort()).toEqual(names.sort());
  expect(Object.keys(EXPECTED).sort()).toEqual(Object.keys(FAILURES).sort());
});

test.each(readdirSync(FOLDER))("the failure is recognised in %s", (file) => {
  const { text } = endOf(readFileSync(join(FOLDER, file), "utf8"));
  const found = knownLines(text).map(({ kind, count, hasEnded }) => [kind, count, hasEnded]);
  // redis-py 4 calls it "not ready" at first.
  const also = file === "max-clients.5.2.7.log" ? [["broker-lost", 2, false]] : [];
  expect(found).toEqual([...(EXPECTED[file.replace(/\.5\.\d\.\d\.log$/, "")] ?? []), ...also]);
});

test.each(["key-error", "bad-option", "pid-file", "lock-lost", "unrecoverable", "signal-11", "no-redis"])(
  "three runs that fail by %s count three times",
  (name) => {
    for (const celery of ["5.2.7", "5.7.0"]) {
      const { text } = endOf(readFileSync(join(FOLDER, `${name}.${celery}.log`), "utf8").repeat(3));
      expect(knownLines(text)).toMatchObject([{ count: 3 }]);
    }
  },
);

test("a name that an exception quotes is shown, but not its other words", () => {
  const raised = (line: string) =>
    `Traceback (most recent call last):\n  File "/usr/bin/celery", line 8, in <module>\n    main()\n${line}\n`;
  expect(knownLines(raised("KeyError: 'DATABASE_URL'"))).toMatchObject([
    { last: "KeyError: 'DATABASE_URL'" },
  ]);
  expect(knownLines(raised("shop.Refused: the s3cret is wrong"))).toMatchObject([{ last: "shop.Refused" }]);
});
