/** The effect of a line on the program that wrote it. A line that says that the program ends counts as an end. */
type Effect =
  /** The program goes on. */
  | "passes"
  /** The worker tries again and again, and does nothing else. */
  | "blocks"
  /** It ends a program, or tasks are lost. */
  | "harms"
  /** The program never started, or it was killed. */
  | "ends";

/** The kinds of known log records, and their effects. */
export const EFFECTS = {
  "circular-import": "harms",
  "not-configured": "harms",
  "redis-missing": "harms",
  "app-missing": "ends",
  "module-missing": "harms",
  "bad-option": "ends",
  "pid-file": "ends",
  "read-only": "harms",
  "lock-lost": "harms",
  schedule: "passes",
  "no-broker": "blocks",
  "broker-full": "blocks",
  "broker-misconf": "blocks",
  "broker-replica": "blocks",
  "broker-cluster": "blocks",
  "broker-clients": "blocks",
  "broker-loading": "passes",
  "broker-login": "blocks",
  "broker-rights": "blocks",
  "result-login": "harms",
  "result-refused": "harms",
  "too-many-files": "harms",
  permission: "harms",
  "no-space": "harms",
  unregistered: "harms",
  undecodable: "harms",
  "result-store": "harms",
  "hard-limit": "passes",
  "soft-limit": "passes",
  "main-killed": "ends",
  "child-lost-again": "harms",
  "child-killed": "passes",
  "child-crashed": "passes",
  "child-stopped": "passes",
  "child-exited": "passes",
  "no-memory": "passes",
  "control-command": "passes",
  "broker-lost": "passes",
  "publish-failed": "passes",
  "clock-drift": "passes",
  retried: "passes",
  discarded: "passes",
  "task-failed": "passes",
  unrecoverable: "harms",
  crashed: "harms",
} as const satisfies Readonly<Record<string, Effect>>;

export type LineKind = keyof typeof EFFECTS;

/** Records of one kind. */
export interface KnownLines {
  readonly kind: LineKind;
  /** The number of records. If some of them ended the program, only these count. */
  readonly count: number;
  readonly hasEnded: boolean;
  /** The last record, from its known words on. */
  readonly last: string;
}
