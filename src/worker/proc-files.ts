/**
 * The text of a file or the target of a link. `cut`: reading stopped before the end. `gone`: any failure except a
 * refusal.
 */
export type FileText =
  | { readonly ok: true; readonly value: string }
  | { readonly ok: false; readonly problem: "gone" | "forbidden" | "cut" };

/** Reads Linux' /proc and /sys/fs/cgroup. Paths are absolute, text is UTF-8. */
export interface ProcFiles {
  /** Every process that can be seen, in no order; null: there is no /proc. */
  pids(): readonly number[] | null;
  /** Our own process, by its number in this /proc; 0 without a /proc. */
  readonly self: number;
  /**
   * @param goesOn called from time to time with the bytes read so far; returns whether to go on. Default: read to the
   * end
   */
  read(path: string, goesOn?: (bytes: number) => boolean): FileText;
  link(path: string): FileText;
  /** The names in a folder; null: it is gone, or we may not list it. */
  list(path: string): readonly string[] | null;
  /** Unit of the times in /proc/N/stat: USER_HZ, which is 100 on every architecture we run on. */
  readonly ticksPerSecond: 100;
  /** Milliseconds since our own program started, by a clock that cannot be set. */
  readonly ownAgeMs: () => number;
}
