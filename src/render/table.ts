import { line } from "./gate.ts";
import { padded, width } from "./width.ts";

/** In columns. Cells are padded up to this width. A longer cell, such as an invented name, moves only its own row. */
const MOST_PADDED = 120;

/**
 * In columns: the usual width of a terminal, without the indent below a node. Longer lines are broken or cut if
 * possible.
 */
const WIDTH = 78;

const GAP = "  ";

/** Rows under a head. Each column is as wide as its widest cell. Cells may contain text from outside. */
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

/** Words in lines of at most {@link WIDTH}. Further lines are indented by the width of `lead`. */
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

export function cut(text: string): string {
  return text.length <= WIDTH ? text : `${text.slice(0, WIDTH - 2)} …`;
}
