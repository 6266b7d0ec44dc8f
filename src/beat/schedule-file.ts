import { asText } from "../numbers.ts";
import type { Files } from "../machine/parts.ts";
import type { ProcFiles } from "../worker/proc-files.ts";
import { DEFAULT_SCHEDULE_FILE, hasScheduleFile } from "../celery/beat.ts";
import { instructed, variablesOf } from "../celery/settings.ts";
import { type BeatProcess, schedulerOf, sourcesOf } from "./find-beats.ts";

/** What is known about a beat from elsewhere. Null: not known. */
export interface BeatSettings {
  /** `--schedule`, which comes before everything else. */
  readonly schedule: string | null;
  /** `beat_scheduler` and `beat_schedule_filename` of its application. */
  readonly scheduler: string | null;
  readonly filename: string | null;
}

/** A beat's schedule file, as far as it can be seen. */
export type ScheduleFile =
  /** `writtenS`: when it was last written, in seconds since 1970. Null: this dbm writes only when it is closed. */
  | { readonly kind: "there"; readonly path: string; readonly writtenS: number | null }
  /** The file was deleted, but the beat has it open and still writes to it. */
  | { readonly kind: "deleted"; readonly path: string }
  /** The file of `--schedule` does not exist. */
  | { readonly kind: "missing"; readonly path: string }
  /** No file of this beat was found. Its application may name another scheduler or another file. */
  | { readonly kind: "unknown" }
  | { readonly kind: "forbidden"; readonly path: string }
  /** The scheduler is not Celery's own and keeps no file. */
  | { readonly kind: "none"; readonly scheduler: string };

/**
 * The endings of a shelve's files, which depend on Python's dbm. gnu has no ending, sqlite3 writes to `-wal`, dumb has
 * the other three. Each of these files changes at every sync, even when the schedule is the same. Measured on Python
 * 3.6 to 3.13.
 */
const FORMS = ["", "-wal", ".dat", ".bak", ".dir"] as const;

/** ndbm has no sync (`shelve.Shelf.sync`), so its file is written only when the beat ends. */
const NDBM = ".db";

/** In seconds. /proc counts hundredths of a second, and a file system's clock may be coarser. */
export const SLACK_S = 2;

/**
 * Looks for the file that a beat writes. Only its application knows the file for certain. A beat writes its file when
 * it starts, so an older file belongs to another beat, unless `--schedule` names it.
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
  // If the command line names the file, settings do not count.
  const own = settings.schedule ?? (said?.by === "option" ? asText(said.value) : "");
  const names =
    own === ""
      ? [
          // The first is click's variable for the option. The others are settings, which some applications read.
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
  /** Null: there is no such file. */
  readonly writtenS: number | null;
  readonly isNdbm: boolean;
  readonly isForbidden: boolean;
}

/** Reads the path as the beat sees it: from its root, or from its working folder. */
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
