import { summaryOf } from "../fleet/summary.ts";
import type { FleetNode, FleetView } from "../fleet/fleet-view.ts";
import { brokerStatement } from "../render/broker-words.ts";
import { nodeLine } from "../render/fleet-line.ts";
import { amount, brief, seconds } from "../render/speech.ts";

/** The answer to a probe: a status and one line. */
export interface ProbeAnswer {
  readonly status: 200 | 400 | 404 | 503;
  readonly line: string;
}

/** What a probe asks: whether the worker should be restarted, or whether it does its work. */
export type Question = "livez" | "readyz";

/**
 * If a collector has not looked at anything for this long, it is stuck. Its pauses in an outage are far shorter. In
 * seconds.
 */
const STUCK_S = 120;

/**
 * Whether we ourselves are alive. The broker does not matter for this, and the answer itself shows that our loop turns.
 *
 * @param silentS seconds since the collector last reported
 */
export function ownLiveness(silentS: number): ProbeAnswer {
  return silentS < STUCK_S
    ? healthy("celery-probe is running")
    : failing(`unhealthy: celery-probe has looked at nothing for ${seconds(silentS)}`);
}

/** Whether our answers can be relied on: the fleet has answered, and the broker is there. */
export function ownReadiness(view: FleetView): ProbeAnswer {
  const reason = whyUnseen(view);
  if (reason !== null) return failing(reason);
  return healthy(`${amount(view.nodes.length, "worker")} watched on ${view.broker.shown}`);
}

/** The answer about one worker. A node that nobody has seen is unknown as long as there was no way to see it. */
export function ofNode(view: FleetView, question: Question, name: string): ProbeAnswer {
  const node = view.nodes.find((one) => one.node === name);
  if (node !== undefined) return ofNodes(question, [node], nodeLine(node));
  const reason = whyUnseen(view) ?? whenLeft(view, name) ?? whoseName(view, name);
  if (reason !== null) return { status: question === "livez" ? 200 : 503, line: reason };
  return {
    status: 404,
    line: `unknown: no worker ${brief(name)} was seen; /api/v1/workers lists those that were`,
  };
}

/** The answer about the workers that share our PID namespace. All of them count. */
export function ofLocal(view: FleetView, question: Question): ProbeAnswer {
  const nodes = view.nodes.filter(({ isLocal }) => isLocal);
  const [worst] = nodes;
  if (worst === undefined) {
    const line =
      whyUnseen(view) ??
      "unknown: no worker's process is in sight; set shareProcessNamespace: true of the pod";
    return { status: question === "livez" ? 200 : 503, line };
  }
  const more = nodes.length === 1 ? "" : `; ${amount(nodes.length, "worker")} in sight`;
  return ofNodes(question, nodes, nodeLine(worst) + more);
}

/** Whether enough workers are healthy. */
export function ofFleet(view: FleetView, min: number): ProbeAnswer {
  const { healthy: count } = summaryOf(view.nodes);
  const line = `${count} of ${amount(view.nodes.length, "worker")} healthy, ${min} expected`;
  if (count >= min) return healthy(line);
  return failing(outageLine(view) ?? `unhealthy: ${line}`);
}

function ofNodes(question: Question, nodes: readonly FleetNode[], line: string): ProbeAnswer {
  const passes = ({ verdict: { status } }: FleetNode) =>
    question === "livez" ? status !== "unhealthy" : status === "healthy";
  return { status: nodes.every(passes) ? 200 : 503, line };
}

/** Why nothing is known about a worker that may well exist; null: if it existed, we would know it. */
function whyUnseen(view: FleetView): string | null {
  const isFirst = view.rounds.done === 0;
  return (
    outageLine(view) ??
    (isFirst ? "unknown: undecided: the first question to the fleet is not answered yet" : null)
  );
}

/**
 * A worker says goodbye when it ends, when it begins to wait for its last tasks, and when it reconnects. A restart
 * would not help in any of these cases. Null: it has not said goodbye.
 */
function whenLeft({ atS, left }: FleetView, name: string): string | null {
  const leftS = left.get(name);
  return leftS === undefined
    ? null
    : `unknown: gone: ${brief(name)}: it said goodbye ${seconds(atS - leftS)} ago`;
}

/**
 * We may have begun to listen while a task blocked a worker. It is subscribed, and tells its name when the task ends.
 * Null: all that are subscribed have told their names.
 */
function whoseName({ nameless }: FleetView, name: string): string | null {
  if (nameless === 0) return null;
  const who =
    nameless === 1
      ? "the worker that is subscribed and has told no name"
      : `one of ${nameless} workers that are subscribed and have told no name`;
  return `unknown: undecided: ${brief(name)}: it was not heard, and may be ${who}`;
}

/** What is wrong with the broker; null: nothing. */
function outageLine({ broker: { shown, trouble } }: FleetView): string | null {
  if (trouble === null) return null;
  const { fact, hint } = brokerStatement(shown, trouble.failure);
  return `unknown: broker-${trouble.failure.kind}: ${fact}${hint === null ? "" : `; hint: ${hint}`}`;
}

function healthy(words: string): ProbeAnswer {
  return { status: 200, line: `healthy: ${words}` };
}

function failing(line: string): ProbeAnswer {
  return { status: 503, line };
}
