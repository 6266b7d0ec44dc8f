import type { View } from "../watch/view.ts";
import { line } from "./gate.ts";
import { troubleText } from "./watch-text.ts";

/** A picture as lines that `grep` and `awk` can do with: the time, what it is, `name=value` for each. */
export function watchRows(view: View): readonly string[] {
  const clock = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" }).format(view.atS * 1_000);
  const given = (name: string, value: string | number | null) => (value === null ? [] : [`${name}=${value}`]);
  return [
    ...(view.trouble === null ? [] : [`${clock} broker ${view.broker} trouble="${troubleText(view)}"`]),
    ...(view.trouble === null && view.nodes.length === 0 ? [`${clock} broker ${view.broker} nodes=0`] : []),
    ...view.nodes.map(({ node, state, active, slots, perS, processed, oldest, memory }) =>
      [
        clock,
        "node",
        node,
        `state=${state.kind}`,
        ...(state.kind === "silent" ? [`silent_s=${Math.round(state.forS)}`] : []),
        ...given("active", active),
        ...given("slots", slots),
        ...given("per_s", perS === null ? null : perS.toFixed(1)),
        ...given("processed", processed),
        ...(oldest === null ? [] : [`oldest_s=${Math.round(oldest.ageS)}`, `oldest=${oldest.name}`]),
        ...given("memory", memory),
      ].join(" "),
    ),
    ...view.queues.map(({ queue, length, consumers }) =>
      [clock, "queue", queue, ...given("length", length), `consumers=${consumers}`].join(" "),
    ),
  ].map(line);
}
