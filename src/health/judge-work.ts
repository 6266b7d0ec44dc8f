import { polling } from "../worker/connections.ts";
import type { Evidence, NodeEvidence } from "./evidence.ts";
import { lastConnections } from "./judge-connections.ts";
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
  const idle = rows.filter(({ command }) => command === "brpop").map(({ idleS }) => idleS);
  if (polling(rows) !== "paused" || Math.min(...idle) < HALF_OPEN_S) return null;
  const active = heartbeats.kind === "listened" ? (heartbeats.own?.active ?? null) : null;
  const slots = process.slots ?? 1;
  const hasRoom = active !== null && active < slots;
  return hasRoom && unacked === 0 ? Math.min(...idle) : null;
}

function judgeTasks({ nodes }: Evidence, work: WorkEvidence, maxTaskAge: number | null): Verdict | null {
  if (maxTaskAge === null) return null;
  for (const { node, tasks } of work.nodes) {
    const oldest = tasks.kind === "told" ? tasks.oldest : null;
    if (oldest === null || oldest.ageS * 1_000 <= maxTaskAge) continue;
    const pid = pidOf(nodes.find((one) => one.node === node));
    const { name: task, id, ageS } = oldest;
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
