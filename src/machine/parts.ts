import type { Outcome } from "../outcome.ts";

/** What a file is, without its content. */
export interface FileLook {
  readonly kind: "file" | "folder" | "other";
  readonly uid: number;
  readonly gid: number;
  /** Permission bits. */
  readonly mode: number;
  readonly bytes: number;
  /** When it was written last, in seconds since 1970. */
  readonly modifiedS: number;
}

/** Why a file could not be looked at; `gone` stands for everything but a refusal. */
export type FileProblem = "gone" | "forbidden";

/** Files of this machine, for the commands that look at more than /proc. */
export interface Files {
  /** Follows links. */
  look(path: string): Outcome<FileLook, FileProblem>;
  /** Whether a file is a copy of this executable, one of another version, or none at all. */
  compareWithSelf(path: string): Outcome<"same" | "another-version" | "foreign", FileProblem>;
  /**
   * Puts a copy of this executable in the place of `path`, at once and with mode 0755.
   *
   * @param unique for the name of the file that it is written to first, beside `path`
   * @returns why not; null: it is done
   */
  copySelf(path: string, unique: string): CopyProblem | null;
}

/** `no-folder`: that of the file is not there. `detail`: the system's words. */
export interface CopyProblem {
  readonly cause: "no-folder" | "read-only" | "forbidden" | "no-space" | "other";
  readonly detail: string;
}
