import type { Host } from "../host.ts";
import type { Span } from "../session/heartbeats.ts";
import { readTasks } from "../celery/tasks.ts";

/** A node that has been silent for so long is not shown any more, in milliseconds. */
const FORGET_MS = 600_000;

/** What is known of a node. Milliseconds of {@link Host.now}. */
export interface Known {
  lastMs: number;
  /** Whether it has answered when it was asked last; null: it was not asked yet. */
  isAnswering: boolean | null;
  /** When it was asked for its pool and queues. */
  askedMs: number;
  slots: number | null;
  queues: readonly string[];
  oldest: { readonly name: string; readonly startS: number } | null;
  before: { readonly processed: number; readonly atMs: number } | null;
  perS: number | null;
}

/** The nodes that a watch knows, by their names. */
export interface Nodes {
  readonly all: ReadonlyMap<string, Known>;
  /** That of a name, new where it was not known. */
  readonly of: (name: string) => Known;
  /** Takes in what was heard since the last look. */
  readonly hear: (spans: ReadonlyMap<string, Span>) => void;
  /** Drops those that have been silent for too long. */
  readonly forget: () => void;
}

/** @param isMeant whether a node is to be watched */
export function watchedNodes({ now }: Host, isMeant: (node: string) => boolean): Nodes {
  const all = new Map<string, Known>();

  function of(name: string): Known {
    const known = all.get(name) ?? {
      lastMs: now(),
      isAnswering: null,
      askedMs: -Infinity,
      slots: null,
      queues: [],
      oldest: null,
      before: null,
      perS: null,
    };
    all.set(name, known);
    return known;
  }

  function hear(spans: ReadonlyMap<string, Span>): void {
    for (const [name, { last, lastMs }] of spans) {
      if (!isMeant(name) || now() - lastMs > FORGET_MS) continue;
      const node = of(name);
      node.lastMs = Math.max(node.lastMs, lastMs);
      const { processed } = last;
      const { before } = node;
      if (processed === null || before?.atMs === lastMs) continue;
      if (before !== null) {
        // It has been restarted, with whatever pool and queues.
        if (processed < before.processed) node.askedMs = -Infinity;
        node.perS = (Math.max(0, processed - before.processed) * 1_000) / (lastMs - before.atMs);
      }
      node.before = { processed, atMs: lastMs };
    }
  }

  function forget(): void {
    for (const [name, { lastMs }] of all) if (now() - lastMs > FORGET_MS) all.delete(name);
  }

  return { all, of, hear, forget };
}

/** The task in hand that runs the longest, of an answer to `active`; null: none is told. */
export function oldestIn(answer: unknown): Known["oldest"] {
  const [oldest] = readTasks(answer) ?? [];
  return oldest === undefined || oldest.startS === null ? null : { name: oldest.name, startS: oldest.startS };
}
