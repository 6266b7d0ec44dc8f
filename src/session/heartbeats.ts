import { heartbeatChannels, heartbeatPatterns, whenceOf } from "../broker/keys.ts";
import type { Deadline } from "../deadline.ts";
import type { Host } from "../host.ts";
import { decodeHeartbeat, type Heartbeat } from "../celery/heartbeat.ts";
import { readPool } from "../celery/pool.ts";
import type { Session } from "./session.ts";

/**
 * Nodes that are kept. By default Redis allows as many connections (`maxclients`), so a broker hardly has more workers.
 */
const MOST_NODES = 10_000;

/** In milliseconds. A node that was silent for longer makes room for others. */
const FORGET_MS = 600_000;

/** Heartbeats of the session's workers, heard without asking. */
export interface Heartbeats {
  /** The newest heartbeat of each node, by full node name. Grows up to {@link MOST_NODES}. */
  readonly heard: ReadonlyMap<string, Heartbeat>;
  /** The first and the newest heartbeat of each node's current process. */
  readonly spans: ReadonlyMap<string, Span>;
  readonly close: () => void;
}

/**
 * Two heartbeats of one process, with their times in milliseconds since the run began. They are the same if only one
 * was heard.
 */
export interface Span {
  readonly first: Heartbeat;
  readonly firstMs: number;
  readonly last: Heartbeat;
  readonly lastMs: number;
}

/** Begins to listen to the heartbeats of the session's workers. If the broker refuses it, none is heard. */
export function listenToHeartbeats({ plan, write }: Session, host: Host, deadline: Deadline): Heartbeats {
  const heard = new Map<string, Heartbeat>();
  const spans = new Map<string, Span>();
  const hasRoom = (now: number): boolean => {
    for (const [node, { lastMs }] of spans) {
      if (now - lastMs <= FORGET_MS) break;
      spans.delete(node);
      heard.delete(node);
    }
    return spans.size < MOST_NODES;
  };
  const { target } = write;
  const topics = { broad: heartbeatPatterns(), exact: heartbeatChannels(target.db, plan.naming) };
  const opened = host.listen(
    target,
    (channel, text) => {
      const beat = decodeHeartbeat(channel, text);
      const isOurs = whenceOf(channel, target.db, plan.naming)?.kind === "expected";
      if (beat === null || !isOurs) return;
      const span = spans.get(beat.node);
      const now = host.now();
      if (span === undefined && !hasRoom(now)) return;
      heard.set(beat.node, beat);
      const { first, firstMs } = span?.first.pid === beat.pid ? span : { first: beat, firstMs: now };
      // Moves the node to the end, so that the longest silent nodes come first.
      spans.delete(beat.node);
      spans.set(beat.node, { first, firstMs, last: beat, lastMs: now });
    },
    topics,
    deadline.atMost(plan.connectTimeout),
  );
  return {
    heard,
    spans,
    close() {
      void opened.then((listener) => {
        if (listener.ok) listener.value.close();
      });
    },
  };
}

/** In milliseconds. Two looks closer together than this show no trend. */
export const SHORTEST_MS = 500;

/** Whether the two heartbeats are far enough apart to show the worker's pace. */
export function isHeardTwice(span: Span | undefined): span is Span {
  return (
    span !== undefined &&
    span.lastMs - span.firstMs >= SHORTEST_MS &&
    span.first.processed !== null &&
    span.last.processed !== null
  );
}

/**
 * The larger number of running tasks in two heartbeats: between two tasks a slot is free for a moment. Null: not told.
 */
export function mostActive({ first, last }: Span): number | null {
  return first.active === null || last.active === null ? null : Math.max(first.active, last.active);
}

/** How many tasks a worker may run at once, and how many it ran. Null: it was not heard twice, or it did not say. */
export function loadOf(
  span: Span | undefined,
  stats: unknown,
): { readonly slots: number; readonly active: number } | null {
  const slots = readPool(stats)?.size ?? null;
  const active = isHeardTwice(span) ? mostActive(span) : null;
  return slots === null || active === null ? null : { slots, active };
}

/** Tasks begun and finished per second, by all workers that were heard twice. */
export function paceOf(
  spans: ReadonlyMap<string, Span>,
): { readonly begun: number; readonly finished: number; readonly overS: number } | null {
  let [begun, finished, overS] = [0, 0, 0];
  for (const { first, firstMs, last, lastMs } of [...spans.values()].filter(isHeardTwice)) {
    const s = (lastMs - firstMs) / 1_000;
    const more = Math.max(0, (last.processed ?? 0) - (first.processed ?? 0));
    begun += more / s;
    // Celery counts tasks when they begin (celery/worker/state.py `task_accepted`), so running ones are not finished.
    finished += Math.max(0, more - ((last.active ?? 0) - (first.active ?? 0))) / s;
    overS = Math.max(overS, s);
  }
  return overS === 0 ? null : { begun, finished, overS };
}
