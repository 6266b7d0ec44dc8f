/**
 * The text of a file or the target of a link. `cut`: reading was given up before the end. `gone`: any failure but a
 * refusal.
 */
export type FileText =
  | { readonly ok: true; readonly value: string }
  | { readonly ok: false; readonly problem: "gone" | "forbidden" | "cut" };

/** What is read of Linux' /proc and /sys/fs/cgroup: paths are absolute, text is UTF-8. */
export interface ProcFiles {
  /** Every process that can be seen, in no order; null where there is no /proc. */
  pids(): readonly number[] | null;
  /** Our own process, in the numbers of this /proc; 0 without one. */
  readonly self: number;
  /** @param goesOn asked from time to time, with the bytes read so far, whether to go on; default: to the end */
  read(path: string, goesOn?: (bytes: number) => boolean): FileText;
  link(path: string): FileText;
  /** The names in a folder; null where it is gone or may not be listed. */
  list(path: string): readonly string[] | null;
  /** Unit of the times in /proc/N/stat: USER_HZ, which is 100 on every architecture we run on. */
  readonly ticksPerSecond: 100;
  /** Milliseconds since our own program started, by a clock that nobody can set. */
  readonly ownAgeMs: () => number;
}
