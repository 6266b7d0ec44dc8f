import type { FleetNode, FleetQueue, FleetVerdict, FleetView } from "../fleet/fleet-view.ts";
import type { Family, Sample } from "../render/exposition.ts";

/** What is known about our own process. */
export interface OwnUsage {
  readonly version: string;
  readonly startedS: number;
  readonly cpuS: number | null;
  readonly residentBytes: number | null;
  readonly openFiles: number | null;
}

/** A metric: its name, its meaning, and its series at one moment. */
export interface Metric extends Omit<Family, "samples"> {
  readonly samples: (view: FleetView, own: OwnUsage) => readonly Sample[];
}

/** Every metric, in the order of the page. docs/serve.md has the same list. */
export function familiesOf(view: FleetView, own: OwnUsage): readonly Family[] {
  return METRICS.map(({ samples, ...metric }) => ({ ...metric, samples: samples(view, own) }));
}

/** Ten of these have one series for each worker. There must not be more. */
export const METRICS: readonly Metric[] = [
  gauge("celery_worker_up", "Whether the worker is heard or answers: 1 or 0", ({ view }) =>
    currentNodes(view).flatMap((node) => {
      const up = isUp(node.verdict);
      return up === null ? [] : [sample(namesOf(node), up ? 1 : 0)];
    }),
  ),
  gauge("celery_worker_tasks_active", "Tasks that the worker is running", ({ view }) =>
    currentNodes(view).flatMap((node) => ofNumber(namesOf(node), node.active)),
  ),
  gauge("celery_queue_length", "Messages that wait in the queue, of all priorities", ({ view }) =>
    view.queues.flatMap((queue) => ofNumber(queueName(queue), queue.length)),
  ),
  gauge("celery_active_worker_count", "Workers that consume the queue", ({ view }) =>
    view.rounds.areStale ? [] : view.queues.map((queue) => sample(queueName(queue), queue.consumers)),
  ),
  gauge("celery_active_process_count", "Tasks that the queue's workers can run at once", ({ view }) =>
    view.rounds.areStale ? [] : view.queues.flatMap((queue) => ofNumber(queueName(queue), queue.slots)),
  ),
  gauge("celery_probe_build_info", "1, with the version of celery-probe", ({ own }) => [
    sample({ version: own.version }, 1),
  ]),
  gauge("celery_probe_broker_up", "Whether the broker answers: 1 or 0", ({ view: { broker } }) => [
    sample({}, broker.trouble === null && broker.rttS !== null ? 1 : 0),
  ]),
  gauge("celery_probe_broker_rtt_seconds", "How long the broker took to answer the last PING", ({ view }) =>
    ofNumber({}, view.broker.rttS),
  ),
  counter("celery_probe_broker_reconnects_total", "Connections to the broker after the first", ({ view }) => [
    sample({}, view.broker.reconnects),
  ]),
  counter("celery_probe_rounds_total", "Rounds that ended", ({ view }) => [sample({}, view.rounds.done)]),
  counter("celery_probe_round_failures_total", "Rounds that failed", ({ view }) => [
    sample({}, view.rounds.failed),
  ]),
  gauge("celery_probe_round_duration_seconds", "How long the last round took", ({ view }) =>
    ofNumber({}, view.rounds.lastTookS),
  ),
  gauge("celery_probe_last_round_timestamp_seconds", "When the last round ended", ({ view }) =>
    ofNumber({}, view.rounds.lastEndedS),
  ),
  gauge("celery_probe_workers", "Workers by status and reason", ({ view }) => countedReasons(view.nodes)),
  gauge("celery_probe_nameless_workers", "Subscribed workers whose names are not known", ({ view }) => [
    sample({}, view.nameless),
  ]),
  gauge(
    "celery_probe_worker_healthy",
    "Whether the worker is healthy: 1 or 0; absent when unknown",
    ({ view }) =>
      currentNodes(view).flatMap((node) =>
        node.verdict.status === "unknown" ? [] : [sample(workerName(node), isHealthy(node) ? 1 : 0)],
      ),
  ),
  gauge("celery_probe_worker_reason", "1 for the reason of a worker that is not alive", ({ view }) =>
    currentNodes(view).flatMap((node) =>
      node.verdict.reason === "alive"
        ? []
        : [sample({ ...workerName(node), reason: node.verdict.reason }, 1)],
    ),
  ),
  gauge(
    "celery_probe_worker_last_evidence_timestamp_seconds",
    "When the worker answered, was heard or was seen to work",
    ({ view }) => currentNodes(view).map((node) => sample(workerName(node), node.lastEvidenceS)),
  ),
  gauge("celery_probe_worker_ping_seconds", "How long the worker's last answer took", ({ view }) =>
    currentNodes(view).flatMap((node) => ofNumber(workerName(node), node.pingS)),
  ),
  counter("celery_probe_worker_tasks_processed_total", "Tasks since the worker's start", ({ view }) =>
    view.nodes.flatMap((node) => ofNumber(workerName(node), node.processed)),
  ),
  gauge("celery_probe_worker_pool_size", "Tasks that the worker can run at once", ({ view }) =>
    currentNodes(view).flatMap((node) => ofNumber(workerName(node), node.slots)),
  ),
  counter("celery_probe_worker_restarts_total", "Restarts of the worker that were seen", ({ view }) =>
    view.nodes.map((node) => sample(workerName(node), node.restarts)),
  ),
  gauge("celery_probe_worker_name_copies", "Processes that answer by the worker's name", ({ view }) =>
    currentNodes(view).map((node) => sample(workerName(node), node.copies)),
  ),
  gauge("celery_probe_queue_nonempty_seconds", "How long the queue has never been empty", ({ view }) =>
    view.queues.map((queue) =>
      sample(
        queueName(queue),
        queue.nonemptySinceS === null ? 0 : Math.max(0, view.atS - queue.nonemptySinceS),
      ),
    ),
  ),
  gauge("celery_probe_unacked_messages", "Deliveries that no worker has acknowledged", ({ view }) =>
    ofNumber({}, view.unacked?.messages ?? null),
  ),
  gauge("celery_probe_unacked_oldest_seconds", "Age of the oldest of these deliveries", ({ view }) =>
    ofNumber({}, view.unacked?.oldestS ?? null),
  ),
  gauge(
    "celery_probe_beat_healthy",
    "Whether a beat was seen to work: 1 or 0; absent without a beat",
    ({ view }) => (view.beat === null ? [] : [sample({}, view.beat.isHealthy ? 1 : 0)]),
  ),
  gauge("celery_probe_reply_lists", "Reply lists of remote control that a short SCAN found", ({ view }) =>
    ofNumber({}, view.replyLists),
  ),
  counter(
    "celery_probe_dropped_total",
    "Workers and queues above the bounds, which are left out",
    ({ view }) => [
      sample({ kind: "nodes" }, view.dropped.nodes),
      sample({ kind: "queues" }, view.dropped.queues),
    ],
  ),
  counter("process_cpu_seconds_total", "CPU time of celery-probe", ({ own }) => ofNumber({}, own.cpuS)),
  gauge("process_resident_memory_bytes", "Resident memory of celery-probe", ({ own }) =>
    ofNumber({}, own.residentBytes),
  ),
  gauge("process_open_fds", "Open files and connections of celery-probe", ({ own }) =>
    ofNumber({}, own.openFiles),
  ),
  gauge("process_start_time_seconds", "When celery-probe was started", ({ own }) => [
    sample({}, own.startedS),
  ]),
];

/** The sources of a metric. */
interface Seen {
  readonly view: FleetView;
  readonly own: OwnUsage;
}

function gauge(name: string, help: string, read: (seen: Seen) => readonly Sample[]): Metric {
  return { name, help, type: "gauge", samples: (view, own) => read({ view, own }) };
}

function counter(name: `${string}_total`, help: string, read: (seen: Seen) => readonly Sample[]): Metric {
  return { name, help, type: "counter", samples: (view, own) => read({ view, own }) };
}

/**
 * After two rounds without an answer, nothing is reported about single workers. So one outage is one alert, not a
 * thousand.
 */
function currentNodes({ nodes, rounds }: FleetView): readonly FleetNode[] {
  return rounds.areStale ? [] : nodes;
}

function isHealthy({ verdict }: FleetNode): boolean {
  return verdict.status === "healthy";
}

/** The reasons of a worker that does not answer and is not heard. */
const SILENT: ReadonlySet<FleetVerdict["reason"]> = new Set([
  "gone",
  "hung",
  "dead",
  "stopped",
  "disconnected",
]);

/** The meaning of "up" in celery-exporter; null: not known. */
function isUp({ status, reason }: FleetVerdict): boolean | null {
  return status === "unknown" ? null : !SILENT.has(reason);
}

/** These series always exist, so that an alert finds a 0 instead of nothing. */
const USUAL = ["healthy alive", "unhealthy hung", "unhealthy gone", "unhealthy not-consuming"] as const;

function countedReasons(nodes: readonly FleetNode[]): readonly Sample[] {
  const counts = new Map<string, number>(USUAL.map((key) => [key, 0]));
  for (const { verdict } of nodes) {
    const key = `${verdict.status} ${verdict.reason}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return [...counts].map(([key, value]) => {
    const [status = "", reason = ""] = key.split(" ");
    return sample({ status, reason }, value);
  });
}

function sample(labels: Sample["labels"], value: number): Sample {
  return { labels, value };
}

function ofNumber(labels: Sample["labels"], value: number | null): readonly Sample[] {
  return value === null ? [] : [{ labels, value }];
}

function workerName({ node }: FleetNode) {
  return { worker: node };
}

/** The labels of celery-exporter: the host after the `@`, and the full name. */
function namesOf({ node }: FleetNode) {
  return { hostname: node.slice(node.indexOf("@") + 1), worker: node };
}

function queueName({ queue }: FleetQueue) {
  return { queue_name: queue };
}
