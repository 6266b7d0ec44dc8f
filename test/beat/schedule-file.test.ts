import { expect, test } from "vitest";
import { findBeats } from "../../src/beat/find-beats.ts";
import { findScheduleFile } from "../../src/beat/schedule-file.ts";
import type { Files } from "../../src/machine/parts.ts";
import { failure, success } from "../../src/outcome.ts";
import { fakeProc } from "../worker/fake-proc.ts";

const NOW = 1_000_000;
/** It runs for an hour. */
const STARTED = NOW - 3_600;
const OWN = NOW - 60;
const OLD = STARTED - 86_400;

/** Files of the beat's working folder by how they were written last; null: may not be looked at. */
type Folder = Readonly<Record<string, number | null>>;

const filesOf = (folder: Folder) =>
  ({
    look(path: string) {
      const name = path.replace("/proc/12/cwd/", "").replace("/proc/12/root", "");
      const modifiedS = folder[name];
      if (modifiedS === undefined) return failure("gone");
      if (modifiedS === null) return failure("forbidden");
      return success({ kind: "file", uid: 0, gid: 0, mode: 0o644, bytes: 1, modifiedS });
    },
  }) as Partial<Files> as Files;

function found(
  words: readonly string[],
  folder: Folder,
  {
    environment = "",
    descriptors = [],
    schedule = null,
    scheduler = null,
  }: {
    readonly environment?: string;
    readonly descriptors?: readonly string[];
    readonly schedule?: string | null;
    readonly scheduler?: string | null;
  } = {},
) {
  const proc = fakeProc([
    { pid: 12, words: ["python", "/venv/bin/celery", "-A", "app", ...words], environment, descriptors },
  ]);
  const [beat] = findBeats(proc, null).beats ?? [];
  if (beat === undefined) throw new Error("no beat");
  const { kind, ...rest } = findScheduleFile(
    proc,
    filesOf(folder),
    beat,
    { schedule, scheduler, filename: null },
    STARTED,
  );
  return "path" in rest ? `${kind} ${rest.path}` : kind;
}

const DEFAULT = "celerybeat-schedule";

test.each<[expected: string, words: string[], folder: Folder, more?: Parameters<typeof found>[2]]>([
  [`there ${DEFAULT}`, ["beat"], { [DEFAULT]: OWN }],
  // sqlite3, dumb
  [`there ${DEFAULT}`, ["beat"], { [DEFAULT]: OLD, [`${DEFAULT}-wal`]: OWN }],
  [`there ${DEFAULT}`, ["beat"], { [`${DEFAULT}.dat`]: OWN, [`${DEFAULT}.dir`]: OLD }],
  // ndbm is written when the beat ends.
  [`there ${DEFAULT}.db`, ["beat"], { [`${DEFAULT}.db`]: OLD }],
  // Of an earlier beat, or baked into an image, and this one's scheduler is another.
  ["unknown", ["beat"], { [DEFAULT]: OLD }],
  ["unknown", ["beat", "-s", "named"], { named: OLD }],
  ["unknown", ["beat", "-s", "named"], {}],
  // Another beat's, in the same folder.
  ["unknown", ["beat", "-s", "named"], { named: OLD, [DEFAULT]: OWN }],
  [
    "unknown",
    ["beat", "-s", "named"],
    { [DEFAULT]: OWN, other: OWN },
    { environment: "CELERY_BEAT_SCHEDULE=other\0" },
  ],
  ["unknown", ["beat", "-s", "named"], { [`${DEFAULT}.db`]: OLD }],
  ["unknown", ["beat"], {}],
  ["there named", ["beat", "-s", "named"], { named: OWN, [DEFAULT]: OLD }],
  ["there /var/x", ["beat", "--schedule=/var/x"], { "/var/x": OWN }],
  ["there by-click", ["beat"], { "by-click": OWN }, { environment: "CELERY_BEAT_SCHEDULE=by-click\0" }],
  ["there setting", ["beat"], { setting: OWN }, { environment: "CELERY_BEAT_SCHEDULE_FILENAME=setting\0" }],
  // Celery itself does not read that one.
  [
    `there ${DEFAULT}`,
    ["beat"],
    { [DEFAULT]: OWN },
    { environment: "CELERY_BEAT_SCHEDULE_FILENAME=setting\0" },
  ],
  ["none", ["beat", "-S", "redbeat.RedBeatScheduler"], { [DEFAULT]: OWN }],
  ["none", ["beat"], { [DEFAULT]: OWN }, { environment: "CELERY_BEAT_SCHEDULER=django\0" }],
  ["none", ["beat"], { [DEFAULT]: OWN }, { scheduler: "django" }],
  [`there ${DEFAULT}`, ["beat", "-S", "celery.beat:PersistentScheduler"], { [DEFAULT]: OWN }],
  [`forbidden ${DEFAULT}`, ["beat"], { [DEFAULT]: null }],
  [`deleted ${DEFAULT}`, ["beat"], {}, { descriptors: [`/srv/${DEFAULT} (deleted)`] }],
  [`deleted ${DEFAULT}`, ["beat"], {}, { descriptors: [`/srv/${DEFAULT}.db (deleted)`] }],
  ["unknown", ["beat"], {}, { descriptors: ["/tmp/other (deleted)", `/srv/${DEFAULT}`] }],
  // Whoever says which one it is is believed.
  ["there mine", ["beat", "-s", "named"], { mine: OLD, named: OWN }, { schedule: "mine" }],
  ["missing mine", ["beat"], { [DEFAULT]: OWN }, { schedule: "mine" }],
  ["there embedded", ["worker", "-B", "-s", "embedded"], { embedded: OWN }],
])("%s: celery %j in a folder with %j", (expected, words, folder, more) => {
  expect(found(words, folder, more)).toBe(expected);
});
