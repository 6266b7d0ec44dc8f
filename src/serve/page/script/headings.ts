import { element, part, set, write } from "./element.ts";
import type { Chooser, Sort } from "./order.ts";

/** The headings of the table. The table can be sorted by each heading that has a sort. */
const COLUMNS: readonly (readonly [className: string, heading: string, sort: Sort | null])[] = [
  ["status", "Status", "worst"],
  ["name", "Worker", "name"],
  ["since", "Since", "since"],
  ["rate", "Task rate", "rate"],
  ["busy", "Busy slots", "busy"],
  ["queues", "Queues", null],
  ["why unseen", "Why", null],
];

/**
 * The table's headings. A second press on the same heading reverses the order. Returns a function that shows the
 * current order.
 */
export function headingsPart({ wish, change }: Chooser): () => void {
  const shown = COLUMNS.map(([className, heading, sort]) => {
    const cell = element("th", className);
    part("headings").append(cell);
    cell.scope = "col";
    set(cell, "role", "columnheader");
    if (sort === null) {
      cell.append(heading);
      return () => undefined;
    }
    const arrow = element("span", "arrow");
    set(arrow, "aria-hidden", "true");
    const button = element("button", "", heading, arrow);
    button.type = "button";
    button.addEventListener("click", () => {
      const { sort: before, isReversed } = wish();
      change({ sort, isReversed: before === sort && !isReversed });
    });
    cell.append(button);
    return () => {
      const { sort: by, isReversed } = wish();
      const isDown = isReversed === (sort === "name");
      set(cell, "aria-sort", by !== sort ? null : isDown ? "descending" : "ascending");
      write(arrow, by !== sort ? "" : isReversed ? " ↑" : " ↓");
    };
  });
  return () => {
    for (const show of shown) show();
  };
}
