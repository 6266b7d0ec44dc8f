import { asText } from "../numbers.ts";
import type { Files } from "../machine/parts.ts";
import type { ProcFiles } from "../worker/proc-files.ts";
import { DEFAULT_SCHEDULE_FILE, hasScheduleFile } from "../celery/beat.ts";
import { instructed, variablesOf } from "../celery/settings.ts";
import { type BeatProcess, schedulerOf, sourcesOf } from "./find-beats.ts";

/** Other knowledge about a beat; null: none. */
export interface BeatSettings {
  /** `--schedule`, which counts for more than all else. */
  readonly schedule: string | null;
  /** `beat_scheduler` and `beat_schedule_filename` of its application. */
  readonly scheduler: string | null;
  readonly filename: string | null;
}

/** Where a beat keeps its schedule, as far as it can be seen. */
export type ScheduleFile =
  /** `writtenS`: when it was written last, in seconds since 1970; null: by a dbm that writes when it is closed. */
  | { readonly kind: "there"; readonly path: string; readonly writtenS: number | null }
  /** Was deleted, and is still written by a beat that has it open. */
  | { readonly kind: "deleted"; readonly path: string }
  /** That of `--schedule` is not there. */
  | { readonly kind: "missing"; readonly path: string }
  /** None that this beat has written: its application names another scheduler, or another file. */
  | { readonly kind: "unknown" }
  | { readonly kind: "forbidden"; readonly path: string }
  /** Another scheduler than Celery's own, which has no file. */
  | { readonly kind: "none"; readonly scheduler: string };

/**
 * What a shelve is called, by the dbm that Python was built with: gnu; sqlite3, which writes to the second; dumb. Each
 * changes at every sync, also of a schedule that has not changed. Measured on Python 3.6 to 3.13.
 */
const FORMS = ["", "-wal", ".dat", ".bak", ".dir"] as const;

/** ndbm has no sync (`shelve.Shelf.sync`): it is written when the beat ends. */
const NDBM = ".db";

/** The clock of /proc has hundredths of a second; a file system's clock may be coarser. In seconds. */
export const SLACK_S = 2;

/**
 * Looks for the file that a beat writes. Only its application knows the file for certain. A beat writes it when it
 * starts, so an older file belongs to another beat, unless `--schedule` says that it is this.
 *
 * @param startedS when the beat was started, in seconds since 1970
 */
export function findScheduleFile(
  proc: ProcFiles,
  files: Files,
  beat: BeatProcess,
  settings: BeatSettings,
  startedS: number,
): ScheduleFile {
  const scheduler = schedulerOf(beat) ?? settings.scheduler;
  if (settings.schedule === null && scheduler !== null && !hasScheduleFile(scheduler))
    return { kind: "none", scheduler };
  const { pid } = beat;
  const sources = sourcesOf(beat);
  const said = instructed("beat_schedule_filename", sources);
  // What the command line names counts for more than all that an application may say: nothing else takes its place.
  const own = settings.schedule ?? (said?.by === "option" ? asText(said.value) : "");
  const names =
    own === ""
      ? [
          // The first is what click makes of the option; the others are settings, which some applications read.
          ...variablesOf("beat_schedule_filename", sources.program).map((name) => sources.environment[name]),
          settings.filename,
          DEFAULT_SCHEDULE_FILE,
        ].filter((name) => typeof name === "string" && name !== "")
      : [own];
  const candidates = [...new Set(names)].map((path) => look(files, pid, String(path)));
  for (const { path, writtenS } of candidates) {
    if (writtenS !== null && (settings.schedule !== null || writtenS >= startedS - SLACK_S))
      return { kind: "there", path, writtenS };
  }
  const isOpen = (path: string) => deletedFiles(proc, pid).some((file) => file.includes(`/${nameOf(path)}`));
  const deleted = candidates.find(({ path }) => isOpen(path));
  if (deleted !== undefined) return { kind: "deleted", path: deleted.path };
  const ndbm = candidates.find(({ isNdbm }) => isNdbm);
  if (ndbm !== undefined) return { kind: "there", path: ndbm.path + NDBM, writtenS: null };
  const forbidden = candidates.find(({ isForbidden }) => isForbidden);
  if (forbidden !== undefined) return { kind: "forbidden", path: forbidden.path };
  return settings.schedule === null ? { kind: "unknown" } : { kind: "missing", path: settings.schedule };
}

interface Candidate {
  readonly path: string;
  /** Null: it is not there. */
  readonly writtenS: number | null;
  readonly isNdbm: boolean;
  readonly isForbidden: boolean;
}

/** A path as the beat sees it: from its root, or its working folder. */
function look(files: Files, pid: number, path: string): Candidate {
  const base = path.startsWith("/") ? `/proc/${pid}/root${path}` : `/proc/${pid}/cwd/${path}`;
  const looks = FORMS.map((form) => files.look(base + form));
  const written = looks.flatMap((one) => (one.ok && one.value.kind === "file" ? [one.value.modifiedS] : []));
  return {
    path,
    writtenS: written.length === 0 ? null : Math.max(...written),
    isNdbm: files.look(base + NDBM).ok,
    isForbidden: looks.some((one) => !one.ok && one.problem === "forbidden"),
  };
}

function deletedFiles(proc: ProcFiles, pid: number): readonly string[] {
  const links = (proc.list(`/proc/${pid}/fd`) ?? []).map((fd) => proc.link(`/proc/${pid}/fd/${fd}`));
  return links.flatMap((link) => (link.ok && link.value.endsWith(" (deleted)") ? [link.value] : []));
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
