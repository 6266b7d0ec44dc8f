import { line } from "./gate.ts";
import { padded, width } from "./width.ts";

/** Cells are padded up to so many columns; one that is longer, a name that somebody has made up, pushes its row alone. */
const MOST_PADDED = 120;

/** What a terminal has at least, without the indent below a node; longer lines are broken or cut where they can be. */
const WIDTH = 78;

const GAP = "  ";

/** Rows under a head, each column as wide as its widest cell; texts from elsewhere may be in them. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const all = [head, ...rows.map((row) => row.map(line))];
  const widths = head.map((_, column) =>
    Math.min(MOST_PADDED, Math.max(...all.map((row) => width(row[column] ?? "")))),
  );
  return all.map((row) =>
    row
      .map((cell, column) => padded(cell, widths[column] ?? 0))
      .join(GAP)
      .trimEnd(),
  );
}

/** Words in lines of at most {@link WIDTH}, all but the first one indented like their beginning. */
export function wrapped(lead: string, words: readonly string[]): readonly string[] {
  const lines: string[] = [];
  let current = lead;
  for (const word of words) {
    if (current.trim() !== "" && current.length + word.length + 1 > WIDTH && current !== lead) {
      lines.push(current);
      current = " ".repeat(lead.length);
    }
    current += current.endsWith(" ") || current === "" ? word : ` ${word}`;
  }
  return [...lines, current];
}

/** Cut at {@link WIDTH}. */
export function cut(text: string): string {
  return text.length <= WIDTH ? text : `${text.slice(0, WIDTH - 2)} …`;
}
