import type { FleetNode, FleetView } from "../fleet/fleet-view.ts";
import { line } from "./gate.ts";
import { troubleText } from "./watch-text.ts";

/** A picture as lines that `grep` and `awk` can do with: the time, what it is, `name=value` for each. */
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
