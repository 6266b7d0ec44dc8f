import type { BrokerView, FleetNode, FleetQueue, FleetView } from "../fleet/fleet-view.ts";
import { summaryOf } from "../fleet/summary.ts";
import { brokerStatement } from "./broker-words.ts";
import { fleetStatement } from "./fleet-words.ts";
import { json, type Printable } from "./gate.ts";
import { isoTime } from "./speech.ts";

/** The version of the objects' format. Fields may be added to a version. Changing or removing one needs a new version. */
const SCHEMA = 1;

/** The object of `/api/v1/workers`: every worker, worst first, with the broker and the rounds. */
export function workersJson(view: FleetView, version: string): Printable {
  return json(workersObject(view, version));
}

/** The object of `/api/v1/workers/<node>`. */
export function workerJson(view: FleetView, node: FleetNode): Printable {
  return json({ schema: SCHEMA, at: isoTime(view.atS), ...workerFields(node) });
}

/** The object of `/api/v1/queues`. */
export function queuesJson(view: FleetView): Printable {
  return json(queuesObject(view));
}

/** The object of `/api/v1/queues/<queue>`. */
export function queueJson(view: FleetView, queue: FleetQueue): Printable {
  return json({ schema: SCHEMA, at: isoTime(view.atS), ...queueFields(queue) });
}

/** The data of one event of `/events`: both lists. */
export function fleetJson(view: FleetView, version: string): Printable {
  return json({ workers: workersObject(view, version), queues: queuesObject(view) });
}

function workersObject(view: FleetView, version: string): object {
  const { rounds, unacked, nodes, atS } = view;
  return {
    schema: SCHEMA,
    at: isoTime(atS),
    version,
    broker: brokerFields(view.broker),
    rounds: {
      done: rounds.done,
      failed: rounds.failed,
      last: timeOf(rounds.lastEndedS),
      duration_ms: rounds.lastTookS === null ? null : Math.round(rounds.lastTookS * 1_000),
      stale: rounds.areStale,
    },
    nameless: view.nameless,
    unacked: unacked === null ? null : { messages: unacked.messages, oldest_s: rounded(unacked.oldestS, 1) },
    summary: summaryOf(nodes),
    workers: nodes.map(workerFields),
  };
}

function brokerFields({ shown, trouble, rttS, reconnects }: BrokerView): object {
  const statement = trouble === null ? null : brokerStatement(shown, trouble.failure);
  return {
    url: shown,
    up: trouble === null && rttS !== null,
    message: statement?.fact ?? null,
    hint: statement?.hint ?? null,
    since: timeOf(trouble?.sinceS ?? null),
    rtt_ms: milliseconds(rttS),
    reconnects,
  };
}

function workerFields(node: FleetNode): object {
  const { verdict, oldest } = node;
  const { fact, hint } = fleetStatement(verdict);
  return {
    node: node.node,
    local: node.isLocal,
    status: verdict.status,
    reason: verdict.reason,
    message: fact,
    hint,
    since: isoTime(node.sinceS),
    last_evidence: isoTime(node.lastEvidenceS),
    ping_ms: milliseconds(node.pingS),
    active: node.active,
    slots: node.slots,
    processed: node.processed,
    per_second: rounded(node.perS, 2),
    trend: node.trend.map((value) => rounded(value, 2)),
    queues: node.queues,
    celery_version: node.version,
    pid: node.pid,
    restarts: node.restarts,
    copies: node.copies,
    oldest_task: oldest === null ? null : { name: oldest.name, age_s: rounded(oldest.ageS, 1) },
    memory_bytes: node.memory,
  };
}

function queuesObject(view: FleetView): object {
  return { schema: SCHEMA, at: isoTime(view.atS), queues: view.queues.map(queueFields) };
}

function queueFields({ queue, length, trend, consumers, slots, active, nonemptySinceS }: FleetQueue): object {
  return {
    queue,
    length,
    trend,
    consumers,
    slots,
    active,
    load: slots === null || slots === 0 || active === null ? null : rounded(active / slots, 2),
    unacked: null,
    nonempty_since: timeOf(nonemptySinceS),
  };
}

function timeOf(epochS: number | null): string | null {
  return epochS === null ? null : isoTime(epochS);
}

function milliseconds(secondsOrNone: number | null): number | null {
  return secondsOrNone === null ? null : rounded(secondsOrNone * 1_000, 1);
}

function rounded(value: number | null, digits: number): number | null {
  return value === null ? null : Number(value.toFixed(digits));
}
