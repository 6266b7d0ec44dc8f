/** What a record of a worker's or a beat's log can be known for. */
export type LineKind =
  | "circular-import"
  | "not-configured"
  | "redis-missing"
  | "app-missing"
  | "module-missing"
  | "bad-option"
  | "pid-file"
  | "read-only"
  | "lock-lost"
  | "schedule"
  | "no-broker"
  | "broker-full"
  | "broker-misconf"
  | "broker-replica"
  | "broker-cluster"
  | "broker-clients"
  | "broker-loading"
  | "broker-login"
  | "broker-rights"
  | "result-login"
  | "result-refused"
  | "too-many-files"
  | "permission"
  | "no-space"
  | "unregistered"
  | "undecodable"
  | "result-store"
  | "hard-limit"
  | "soft-limit"
  | "main-killed"
  | "child-lost-again"
  | "child-killed"
  | "child-crashed"
  | "child-stopped"
  | "child-exited"
  | "no-memory"
  | "control-command"
  | "broker-lost"
  | "publish-failed"
  | "clock-drift"
  | "retried"
  | "discarded"
  | "task-failed"
  | "unrecoverable"
  | "crashed";

/** Records of one kind. */
export interface KnownLines {
  readonly kind: LineKind;
  /** Where some of them have ended the program, these alone. */
  readonly count: number;
  readonly hasEnded: boolean;
  /** The last one, from the words that it is known by. */
  readonly last: string;
}
