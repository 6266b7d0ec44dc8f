import { limitOf } from "../cli/values.ts";
import { pausedFor, polling } from "../worker/connections.ts";
import type { Evidence, NodeEvidence, ProcessSight } from "./evidence.ts";
import { isStopping } from "./judge-silence.ts";
import { ageMsIn, lastConnections, ownBeats } from "./main-loop.ts";
import type { Rules } from "./judgement.ts";
import type { Verdict } from "./verdict.ts";
import type { Held, NodeWork, WorkEvidence } from "./work-evidence.ts";

/**
 * From 5.7.0 on, kombu replaces a dead connection within 45 s. A BRPOP that is silent for this long waits on a dead
 * one. In seconds.
 */
const HALF_OPEN_S = 60;

/** The verdict on queues and tasks of healthy workers: the worst one; null: nothing is wrong. */
export function judgeWork(evidence: Evidence, { work: rules, startGraceMs }: Rules): Verdict | null {
  const { work } = evidence;
  if (work === null) return null;
  const idle = rules.requireConsuming
    ? work.nodes
        .map((node) => judgeConsuming(node, work, evidence, startGraceMs))
        .find((verdict) => verdict !== null)
    : null;
  return idle ?? judgeTasks(evidence, work, rules.maxTaskAge) ?? judgeLengths(work, rules.maxQueueLength);
}

function judgeConsuming(
  node: NodeWork,
  { lengths }: WorkEvidence,
  { nodes }: Evidence,
  startGraceMs: number,
): Verdict | null {
  const seen = nodes.find((one) => one.node === node.node);
  const about = { node: node.node, pid: pidOf(seen), status: "unhealthy", reason: "not-consuming" } as const;
  const missing = node.queues.find((queue) => node.consumed?.includes(queue) === false);
  if (missing !== undefined) {
    const length = lengths.get(missing) ?? null;
    return { ...about, how: "cancelled", queue: missing, length, pausedS: 0, unacked: 0 };
  }
  const waiting = node.queues.find((queue) => (lengths.get(queue) ?? 0) > 0);
  if (waiting === undefined || seen === undefined || node.held?.kind !== "told") return null;
  if (ageMsIn(seen.looks) < startGraceMs) return null;
  // A worker that was told to end must no longer fetch.
  if (seen.process.kind === "seen" && isStopping(seen.process, seen.looks)) return null;
  const pausedS = pausedForS(seen);
  const how = pausedS === null ? null : whyIdle(seen, node.held);
  if (pausedS === null || how === null) return null;
  const length = lengths.get(waiting) ?? null;
  return { ...about, how, queue: waiting, length, pausedS, unacked: node.held.deliveries };
}

/** How many seconds it has not fetched, if that is long; null: it has fetched, or its connections are not known. */
export function pausedForS({ looks }: NodeEvidence): number | null {
  const connections = lastConnections(looks);
  if (connections?.kind !== "known") return null;
  const pausedS = pausedFor(connections.rows, ageMsIn(looks))?.atLeastS ?? 0;
  return polling(connections.rows) === "paused" && pausedS >= HALF_OPEN_S ? pausedS : null;
}

/** Whether all its slots are taken, by its heartbeats; null: no heartbeat was heard. */
export function isFull(node: NodeEvidence): boolean | null {
  const active = ownBeats(node)?.active ?? null;
  return active === null ? null : active >= slotsIn(node.process);
}

function slotsIn(process: ProcessSight): number {
  return process.kind === "seen" ? (process.slots ?? 1) : 1;
}

/**
 * Why a worker does not fetch; null: it may be full of running tasks, or of tasks that wait for their time or rate
 * limit. It prefetches at least as many tasks as it has slots. So fewer tasks do not stop it from fetching.
 */
function whyIdle(
  node: NodeEvidence,
  { deliveries, mayBeHeld, begun }: Extract<Held, { kind: "told" }>,
): "half-open" | "no-work" | null {
  const { process } = node;
  if (deliveries === 0) return isFull(node) === false ? "half-open" : null;
  const beats = ownBeats(node);
  const isIdle = beats === null ? begun === 0 : beats.isIdle;
  if (!isIdle || mayBeHeld >= slotsIn(process)) return null;
  return deliveries < slotsIn(process) ? "half-open" : "no-work";
}

function judgeTasks({ nodes }: Evidence, work: WorkEvidence, maxTaskAge: number | null): Verdict | null {
  if (maxTaskAge === null) return null;
  for (const { node, tasks } of work.nodes) {
    const oldest = tasks.kind === "told" ? tasks.oldest : null;
    if (oldest === null) continue;
    const seen = nodes.find((one) => one.node === node);
    // The start time of a task comes from the worker's clock, which can be set. No task is older than the process that
    // runs it.
    const ageS = Math.min(oldest.ageS, ageMsIn(seen?.looks ?? []) / 1_000);
    if (ageS * 1_000 <= maxTaskAge) continue;
    const pid = pidOf(seen);
    const { name: task, id } = oldest;
    return { status: "unhealthy", reason: "stuck-task", node, pid, task, id, ageS, limitMs: maxTaskAge };
  }
  return null;
}

function judgeLengths(work: WorkEvidence, limits: Rules["work"]["maxQueueLength"]): Verdict | null {
  for (const [queue, length] of work.lengths) {
    const limit = limitOf(queue, limits);
    if (limit === null || length === null || length <= limit) continue;
    return { status: "unhealthy", reason: "backlog", queue, length, limit };
  }
  return null;
}

function pidOf(node: NodeEvidence | undefined): number | null {
  return node?.process.kind === "seen" ? node.process.pid : null;
}
