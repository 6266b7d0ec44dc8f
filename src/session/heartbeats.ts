import { heartbeatChannels, heartbeatPatterns, whenceOf } from "../broker/keys.ts";
import type { Deadline } from "../deadline.ts";
import type { Host } from "../host.ts";
import { decodeHeartbeat, type Heartbeat } from "../celery/heartbeat.ts";
import { readPool } from "../celery/pool.ts";
import type { Session } from "./session.ts";

/** Nodes that are kept; more workers than Redis has connections for by default (`maxclients`) beat on no broker. */
const MOST_NODES = 10_000;

/** A node silent for so long makes room for others, in milliseconds. */
const FORGET_MS = 600_000;

/** What is heard of the workers of a session without asking. */
export interface Heartbeats {
  /** The newest of each node, by full node name; grows, up to {@link MOST_NODES}. */
  readonly heard: ReadonlyMap<string, Heartbeat>;
  /** The first and the newest of each process of a node. */
  readonly spans: ReadonlyMap<string, Span>;
  readonly close: () => void;
}

/** Two heartbeats of one process, with the milliseconds since the start of the run; the same one where there is but one. */
export interface Span {
  readonly first: Heartbeat;
  readonly firstMs: number;
  readonly last: Heartbeat;
  readonly lastMs: number;
}

/** Begins to listen to the heartbeats of the session's workers; where the broker does not permit it, none is heard. */
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
      // At the end: the nodes that have been silent longest come first.
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

/** Two looks at less than this, in milliseconds, say nothing of a trend. */
export const SHORTEST_MS = 500;

/** Whether two heartbeats of it tell how much it has done. */
export function isHeardTwice(span: Span | undefined): span is Span {
  return (
    span !== undefined &&
    span.lastMs - span.firstMs >= SHORTEST_MS &&
    span.first.processed !== null &&
    span.last.processed !== null
  );
}

/** Tasks that ran at the fuller of two heartbeats: between two tasks a slot is free for a moment. Null: not told. */
export function mostActive({ first, last }: Span): number | null {
  return first.active === null || last.active === null ? null : Math.max(first.active, last.active);
}

/** How many tasks a worker may run at once, and how many it did run; null: not heard twice, or not told. */
export function loadOf(
  span: Span | undefined,
  stats: unknown,
): { readonly slots: number; readonly active: number } | null {
  const slots = readPool(stats)?.size ?? null;
  const active = isHeardTwice(span) ? mostActive(span) : null;
  return slots === null || active === null ? null : { slots, active };
}

/** Tasks begun and finished in a second by all whose heartbeats were heard twice. */
export function paceOf(
  spans: ReadonlyMap<string, Span>,
): { readonly begun: number; readonly finished: number; readonly overS: number } | null {
  let [begun, finished, overS] = [0, 0, 0];
  for (const { first, firstMs, last, lastMs } of [...spans.values()].filter(isHeardTwice)) {
    const s = (lastMs - firstMs) / 1_000;
    const more = Math.max(0, (last.processed ?? 0) - (first.processed ?? 0));
    begun += more / s;
    // Counted when they begin (celery/worker/state.py `task_accepted`): what still runs is not finished.
    finished += Math.max(0, more - ((last.active ?? 0) - (first.active ?? 0))) / s;
    overS = Math.max(overS, s);
  }
  return overS === 0 ? null : { begun, finished, overS };
}
