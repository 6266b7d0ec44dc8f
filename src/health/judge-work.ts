import { pausedFor, polling } from "../worker/connections.ts";
import type { Evidence, NodeEvidence } from "./evidence.ts";
import { lastConnections } from "./judge-connections.ts";
import { ageMsIn } from "./main-loop.ts";
import type { Rules } from "./judgement.ts";
import type { Verdict } from "./verdict.ts";
import type { NodeWork, WorkEvidence } from "./work-evidence.ts";

/** kombu from 5.7.0 on replaces a dead connection within 45 s; a BRPOP silent for so long waits on one. Seconds. */
const HALF_OPEN_S = 60;

/** What queues and tasks make of workers that are well: the worst of it, or null. */
export function judgeWork(evidence: Evidence, { work: rules }: Rules): Verdict | null {
  const { work } = evidence;
  if (work === null) return null;
  const idle = rules.requireConsuming
    ? work.nodes.map((node) => judgeConsuming(node, work, evidence)).find((verdict) => verdict !== null)
    : null;
  return idle ?? judgeTasks(evidence, work, rules.maxTaskAge) ?? judgeLengths(work, rules.maxQueueLength);
}

function judgeConsuming(node: NodeWork, { lengths }: WorkEvidence, evidence: Evidence): Verdict | null {
  const seen = evidence.nodes.find((one) => one.node === node.node);
  const about = { node: node.node, pid: pidOf(seen), status: "unhealthy", reason: "not-consuming" } as const;
  const missing = node.queues.find((queue) => node.consumed?.includes(queue) === false);
  if (missing !== undefined) {
    return { ...about, how: "cancelled", queue: missing, length: lengths.get(missing) ?? null, pausedS: 0 };
  }
  const waiting = node.queues.find((queue) => (lengths.get(queue) ?? 0) > 0);
  const pausedS = waiting === undefined || seen === undefined ? null : halfOpenS(seen, evidence.unacked);
  if (waiting === undefined || pausedS === null) return null;
  return { ...about, how: "half-open", queue: waiting, length: lengths.get(waiting) ?? null, pausedS };
}

/**
 * For how many seconds it has waited on a connection that nothing comes through; null where that is not proven: it
 * fetches, is at work with all hands, or may hold tasks that wait for their time or their rate.
 */
function halfOpenS({ process, looks, heartbeats }: NodeEvidence, unacked: number | null): number | null {
  const connections = lastConnections(looks);
  if (process.kind !== "seen" || connections?.kind !== "known") return null;
  const { rows } = connections;
  const pausedS = pausedFor(rows, ageMsIn(looks))?.atLeastS ?? 0;
  if (polling(rows) !== "paused" || pausedS < HALF_OPEN_S) return null;
  const active = heartbeats.kind === "listened" ? (heartbeats.own?.active ?? null) : null;
  const slots = process.slots ?? 1;
  const hasRoom = active !== null && active < slots;
  return hasRoom && unacked === 0 ? pausedS : null;
}

function judgeTasks({ nodes }: Evidence, work: WorkEvidence, maxTaskAge: number | null): Verdict | null {
  if (maxTaskAge === null) return null;
  for (const { node, tasks } of work.nodes) {
    const oldest = tasks.kind === "told" ? tasks.oldest : null;
    if (oldest === null) continue;
    const seen = nodes.find((one) => one.node === node);
    // Its start is by the worker's clock, which can be set: no task is older than the process that runs it.
    const ageS = Math.min(oldest.ageS, ageMsIn(seen?.looks ?? []) / 1_000);
    if (ageS * 1_000 <= maxTaskAge) continue;
    const pid = pidOf(seen);
    const { name: task, id } = oldest;
    return { status: "unhealthy", reason: "stuck-task", node, pid, task, id, ageS, limitMs: maxTaskAge };
  }
  return null;
}

function judgeLengths(work: WorkEvidence, limits: Rules["work"]["maxQueueLength"]): Verdict | null {
  const named = new Set(limits.map(({ queue }) => queue));
  for (const [queue, length] of work.lengths) {
    // A limit of its own goes before the one for all of them.
    const limit = limits.find((one) => one.queue === (named.has(queue) ? queue : null))?.limit;
    if (limit === undefined || length === null || length <= limit) continue;
    return { status: "unhealthy", reason: "backlog", queue, length, limit };
  }
  return null;
}

function pidOf(node: NodeEvidence | undefined): number | null {
  return node?.process.kind === "seen" ? node.process.pid : null;
}
