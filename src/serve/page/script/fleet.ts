/**
 * What the page reads from an event `fleet`: the objects of `/api/v1/workers` and `/api/v1/queues`, which
 * src/render/fleet-json.ts makes. Both come from the same executable as the page, so they are trusted without a check.
 * But every text in them is shown as text.
 */
export interface Fleet {
  readonly workers: WorkersReport;
  readonly queues: QueuesReport;
}

export type Status = "healthy" | "unhealthy" | "unknown";

/** The worst first. Workers are counted and listed in this order. */
export const STATUSES = ["unhealthy", "unknown", "healthy"] as const satisfies readonly Status[];

export interface WorkersReport {
  /** When the event was made, by the clock of `serve`. */
  readonly at: string;
  readonly version: string;
  readonly broker: Broker;
  readonly rounds: Rounds;
  readonly nameless: number;
  readonly unacked: { readonly messages: number; readonly oldest_s: number | null } | null;
  readonly summary: Readonly<Record<Status, number>>;
  /** The worst first. */
  readonly workers: readonly Worker[];
}

export interface Broker {
  readonly url: string;
  readonly up: boolean;
  readonly message: string | null;
  readonly hint: string | null;
  /** Since when it is down. */
  readonly since: string | null;
  readonly rtt_ms: number | null;
  readonly reconnects: number;
}

export interface Rounds {
  readonly done: number;
  readonly failed: number;
  readonly last: string | null;
  readonly duration_ms: number | null;
  readonly stale: boolean;
}

export interface Worker {
  readonly node: string;
  readonly local: boolean;
  readonly status: Status;
  readonly reason: string;
  /** What was seen, without its name and reason. */
  readonly message: string;
  readonly hint: string | null;
  readonly since: string;
  readonly last_evidence: string;
  readonly ping_ms: number | null;
  readonly active: number | null;
  readonly slots: number | null;
  readonly processed: number | null;
  readonly per_second: number | null;
  readonly trend: readonly number[];
  readonly queues: readonly string[];
  readonly celery_version: string | null;
  readonly pid: number | null;
  readonly restarts: number;
  readonly copies: number;
  readonly oldest_task: { readonly name: string; readonly age_s: number } | null;
  readonly memory_bytes: number | null;
}

export interface QueuesReport {
  readonly at: string;
  readonly queues: readonly Queue[];
}

export interface Queue {
  readonly queue: string;
  readonly length: number | null;
  readonly trend: readonly number[];
  readonly consumers: number;
  readonly slots: number | null;
  readonly active: number | null;
  /** Running tasks per slot. */
  readonly load: number | null;
  readonly nonempty_since: string | null;
}
