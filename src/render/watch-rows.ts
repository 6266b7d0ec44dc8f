import type { FleetNode, FleetView } from "../fleet/fleet-view.ts";
import { NEW_S } from "./fleet-words.ts";
import { line } from "./gate.ts";
import { troubleText } from "./watch-text.ts";

/** A picture as lines for `grep` and `awk`: the time, the kind of row, and `name=value` pairs. */
export function watchRows(view: FleetView): readonly string[] {
  const clock = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" }).format(view.atS * 1_000);
  const { trouble, shown } = view.broker;
  return [
    ...(trouble === null ? [] : [`${clock} broker ${shown} trouble="${troubleText(view)}"`]),
    ...(trouble === null && view.nodes.length === 0 ? [`${clock} broker ${shown} nodes=0`] : []),
    ...view.nodes.map((node) => `${clock} node ${nodeRow(node)}`),
    ...view.queues.map(({ queue, length, consumers }) =>
      [clock, "queue", queue, ...given("length", length), `consumers=${consumers}`].join(" "),
    ),
  ].map(line);
}

/** What rows have said: what is wrong with the broker, and the state of each node. */
export interface Said {
  readonly trouble: string | null;
  readonly states: ReadonlyMap<string, string>;
}

export function saidBy({ broker: { trouble }, nodes }: FleetView, before: Said | null = null): Said {
  return {
    trouble: trouble?.failure.kind ?? null,
    // As long as the broker is away nothing is known of any node.
    states:
      trouble !== null && before !== null
        ? before.states
        : new Map(nodes.filter(hadTime).map((node) => [node.node, stateOf(node)])),
  };
}

/** The rows of what has changed since. A worker is alive and busy by turns, and an outage is one row. */
export function changedRows(view: FleetView, before: Said): readonly string[] {
  const { trouble, states } = saidBy(view, before);
  const rows = watchRows({
    ...view,
    nodes:
      trouble === null ? view.nodes.filter(({ node }) => states.get(node) !== before.states.get(node)) : [],
    queues: [],
  });
  const isNews = trouble !== before.trouble;
  return rows.filter((row) => isNews || !/^\S+ broker /.test(row)).filter((row) => !/ nodes=0$/.test(row));
}

/** Whether there was time to hear or ask it: before that nothing is said of its state. */
function hadTime({ verdict }: FleetNode): boolean {
  return !("because" in verdict) || verdict.because !== "never-heard" || verdict.forS >= NEW_S;
}

function stateOf({ verdict: { status, reason } }: FleetNode): string {
  return reason === "busy" ? "healthy alive" : `${status} ${reason}`;
}

function nodeRow({
  node,
  verdict,
  active,
  slots,
  perS,
  processed,
  oldest,
  memory,
  copies,
}: FleetNode): string {
  return [
    node,
    `state=${verdict.reason}`,
    `status=${verdict.status}`,
    ...("silentS" in verdict ? [`silent_s=${Math.round(verdict.silentS)}`] : []),
    ...given("active", active),
    ...given("slots", slots),
    ...given("per_s", perS === null ? null : perS.toFixed(1)),
    ...given("processed", processed),
    ...(oldest === null ? [] : [`oldest_s=${Math.round(oldest.ageS)}`, `oldest=${oldest.name}`]),
    ...given("memory", memory),
    ...given("copies", copies === 1 ? null : copies),
  ].join(" ");
}

function given(name: string, value: string | number | null): readonly string[] {
  return value === null ? [] : [`${name}=${value}`];
}
