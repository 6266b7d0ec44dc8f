import type { Fleet, Queue, Worker, WorkersReport } from "../../src/serve/page/script/fleet.ts";

/** The moment at which scripted fleets are seen, in milliseconds. */
export const AT_MS = Date.parse("2026-11-29T13:04:20.000Z");

/** A time this many seconds before the fleet is seen. */
export const ago = (seconds: number, atMs: number = AT_MS) => new Date(atMs - seconds * 1_000).toISOString();

/** A healthy worker with these differences. */
export function worker(node: string, differences: Partial<Worker> = {}): Worker {
  return {
    node,
    local: false,
    status: "healthy",
    reason: "alive",
    message: "it is heard or answers, and its tasks go on",
    hint: null,
    since: ago(93_784),
    last_evidence: ago(2),
    ping_ms: 2.1,
    active: 1,
    slots: 4,
    processed: 184_233,
    per_second: 3.5,
    trend: [2, 3, 3.5, 3, 4, 5, 4, 3, 3.5, 3, 2.5, 3.5],
    queues: ["celery"],
    celery_version: "5.4.0",
    pid: 12,
    restarts: 0,
    copies: 1,
    oldest_task: { name: "shop.tasks.send_invoice", age_s: 12.5 },
    memory_bytes: null,
    ...differences,
  };
}

export function queue(name: string, differences: Partial<Queue> = {}): Queue {
  return {
    queue: name,
    length: 0,
    trend: [0, 0, 0, 0],
    consumers: 3,
    slots: 12,
    active: 4,
    load: 0.33,
    nonempty_since: null,
    ...differences,
  };
}

/** The content of one event. The workers keep the given order: the worst first. */
export function fleet(
  workers: readonly Worker[],
  queues: readonly Queue[],
  differences: Partial<WorkersReport> = {},
): Fleet {
  const at = differences.at ?? ago(0);
  const number = (status: Worker["status"]) => workers.filter((one) => one.status === status).length;
  return {
    workers: {
      at,
      version: "0.1.0",
      broker: {
        url: "redis://redis.shop.svc:6379/0",
        up: true,
        message: null,
        hint: null,
        since: null,
        rtt_ms: 0.4,
        reconnects: 0,
      },
      rounds: { done: 312, failed: 0, last: ago(4), duration_ms: 120, stale: false },
      nameless: 0,
      unacked: { messages: 31, oldest_s: 95.2 },
      summary: { healthy: number("healthy"), unhealthy: number("unhealthy"), unknown: number("unknown") },
      workers,
      ...differences,
    },
    queues: { at, queues },
  };
}
