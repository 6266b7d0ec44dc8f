/** What it means for the program that writes it, unless that one says that it ends by it. */
type Effect =
  /** It happens, and the program goes on. */
  | "passes"
  /** A worker that meets it tries again and again, and does nothing else. */
  | "blocks"
  /** It ends a program, or loses its tasks. */
  | "harms"
  /** No program outlives it: it never started, or was killed. */
  | "ends";

/** What a record of a worker's or a beat's log can be known for. */
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
  /** Where some of them have ended the program, these alone. */
  readonly count: number;
  readonly hasEnded: boolean;
  /** The last one, from the words that it is known by. */
  readonly last: string;
}
