import { arrange, element, part, write } from "./element.ts";
import type { Worker } from "./fleet.ts";
import { headingsPart } from "./headings.ts";
import { chosen, type Chooser } from "./order.ts";
import { toolsPart } from "./tools.ts";
import { amount, count } from "./words.ts";
import { type WorkerRow, workerRow } from "./worker-row.ts";

/**
 * How many rows are shown until the viewer asks for all. The other workers are healthy, or the filter can find them.
 */
const FIRST_ROWS = 200;

/** The workers, with the controls that filter and sort them. */
export function workersPart(chooser: Chooser): (workers: readonly Worker[], nowMs: number) => void {
  const showHeadings = headingsPart(chooser);
  const showTools = toolsPart(chooser);
  const showRows = rowsPart();
  let showsAll = false;
  const more = morePart(() => {
    showsAll = true;
    chooser.change({});
  });
  return (workers, nowMs) => {
    const found = chosen(workers, chooser.wish());
    const shown = showsAll ? found : found.slice(0, FIRST_ROWS);
    const isWhole = shown.length === workers.length;
    write(part("shown"), isWhole ? "" : `${amount(shown.length)} of ${amount(workers.length)}`);
    part("table").hidden = found.length === 0;
    part("nothing").hidden = found.length > 0;
    write(
      part("nothing"),
      workers.length === 0
        ? "Workers appear here as soon as they answer."
        : "No worker matches: clear the filter, or press Escape.",
    );
    showRows(shown, nowMs);
    more(shown.length, found.length);
    showHeadings();
    showTools(workers);
  };
}

/** The rows of the table: one for each worker, as long as it is shown. */
function rowsPart(): (workers: readonly Worker[], nowMs: number) => void {
  let rows = new Map<string, WorkerRow>();
  let made = 0;
  return (workers, nowMs) => {
    const shown = workers.map((worker) => {
      const row = rows.get(worker.node) ?? workerRow(worker.node, `details-${(made += 1)}`);
      row.show(worker, nowMs);
      return [worker.node, row] as const;
    });
    rows = new Map(shown);
    arrange(
      part("rows"),
      shown.map(([, { root }]) => root),
    );
  };
}

/** The button that shows all rows, if some are hidden. */
function morePart(onAll: () => void): (shown: number, found: number) => void {
  const all = element("button", "quiet-button");
  all.type = "button";
  part("more").append(all);
  all.addEventListener("click", () => {
    onAll();
    // The button is gone, so the first row that it added gets the focus.
    part("rows").querySelectorAll<HTMLElement>("button.node")[FIRST_ROWS]?.focus();
  });
  return (shown, found) => {
    part("more").hidden = shown === found;
    write(all, `Show all ${count(found, "worker")}`);
  };
}
