import type { FleetNode, FleetView } from "../fleet/fleet-view.ts";
import { summaryOf } from "../fleet/summary.ts";
import { brokerStatement } from "../render/broker-words.ts";
import { nodeLine } from "../render/fleet-line.ts";
import { amount, isoTime, seconds } from "../render/speech.ts";

/** The most lines per minute. People read a log, and a fleet of thousands may change at once. */
const MOST_A_MINUTE = 60;
const MINUTE_S = 60;

/** The changes from one view to the next, as lines of a log. For the first view with an answer, it writes a summary. */
export function changeLog(): (view: FleetView) => readonly string[] {
  let known: ReadonlyMap<string, string> | null = null;
  let outage: { readonly sinceS: number; readonly kind: string } | null = null;
  let window = { beganS: -Infinity, lines: 0, left: 0 };

  const brokerChange = ({ broker: { shown, trouble }, atS }: FleetView): readonly string[] => {
    const before = outage;
    outage = trouble && { sinceS: trouble.sinceS, kind: trouble.failure.kind };
    if (trouble === null)
      return before === null ? [] : [`broker: ${shown} answers again after ${seconds(atS - before.sinceS)}`];
    // If the server is back but refuses us, that is news: somebody must fix it.
    return before?.kind === trouble.failure.kind
      ? []
      : [`broker: ${brokerStatement(shown, trouble.failure).fact}`];
  };

  const workerChanges = ({ nodes, rounds, broker }: FleetView): readonly string[] => {
    // An outage is a single line. While it lasts, nothing is known about any worker.
    if (rounds.done === 0 || broker.trouble !== null) return [];
    const before = known;
    known = new Map(nodes.map((node) => [node.node, stateOf(node, before)]));
    if (before === null) return firstLines(nodes, broker.shown);
    const changed = nodes.filter((node) => known?.get(node.node) !== before.get(node.node));
    const forgotten = [...before.keys()].filter((name) => known?.has(name) !== true);
    return [...changed.map(nodeLine), ...forgotten.map((name) => `${name} is not watched any more`)];
  };

  return (view) => {
    const { atS } = view;
    const due = [...brokerChange(view), ...workerChanges(view)];
    const left = atS - window.beganS < MINUTE_S ? 0 : window.left;
    if (atS - window.beganS >= MINUTE_S) window = { beganS: atS, lines: 0, left: 0 };
    const shown = due.slice(0, Math.max(0, MOST_A_MINUTE - window.lines));
    window.lines += shown.length;
    window.left += due.length - shown.length;
    const more = left === 0 ? [] : [`${amount(left, "change")} more in the minute before`];
    return [...more, ...shown].map((words) => `${isoTime(atS)} ${words}`);
  };
}

function firstLines(nodes: readonly FleetNode[], broker: string): readonly string[] {
  const { healthy, unhealthy, unknown } = summaryOf(nodes);
  return [
    `${amount(nodes.length, "worker")} of ${broker}: ${healthy} healthy, ${unhealthy} unhealthy, ${unknown} unknown`,
    ...nodes.filter(({ verdict, copies }) => verdict.status === "unhealthy" || copies > 1).map(nodeLine),
  ];
}

/**
 * What counts as a change. A worker is busy and alive in turn, so these count as the same. A worker that becomes
 * unknown keeps its former state. It is also a change if a second worker gets the same name or gives it up.
 */
function stateOf(
  { node, verdict: { status, reason }, copies }: FleetNode,
  before: ReadonlyMap<string, string> | null,
): string {
  if (status === "unknown") return before?.get(node) ?? "unknown";
  return `${reason === "busy" ? "alive" : reason}${copies > 1 ? ", twice" : ""}`;
}
