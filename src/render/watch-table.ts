import { line } from "./gate.ts";
import { cutMiddle, cutTo, width } from "./width.ts";

/** What a picture may use. */
export interface Canvas {
  readonly columns: number;
  /** Infinity: as many as it takes. */
  readonly rows: number;
  readonly inColour: boolean;
  /** Whether the terminal shows more than ASCII. */
  readonly isUnicode: boolean;
  /** Whether keys are read. */
  readonly hasKeys: boolean;
}

/** A cell, and how it is shown: by an SGR code of ECMA-48. */
export interface Cell {
  readonly text: string;
  readonly code?: number;
}

export interface Column<Row> {
  readonly head: string;
  readonly cell: (row: Row, canvas: Canvas) => Cell;
  readonly isNumber?: boolean;
  /** The higher, the sooner it is left out where the terminal is narrow; 0 stays. */
  readonly spare: number;
}

/** Names that are longer are cut before a column is left out. */
const NAME_WIDTH = 24;

/** Every row is as wide as the longest name: one of 16,000 characters would make each of them as long. */
const LONGEST_CELL = 255;

const GAP = "  ";

/** A head and rows that are no wider than the canvas. */
export function tableOf<Row>(
  all: readonly Column<Row>[],
  rows: readonly Row[],
  canvas: Canvas,
): readonly string[] {
  const cells = new Map(
    all.map((column) => [column, rows.map((row) => clean(column.cell(row, canvas)))] as const),
  );
  const widths = fitted(all, cells, canvas.columns);
  const rowText = (cellOf: (column: Column<Row>) => Cell) =>
    [...widths]
      .map(([column, most], at) => {
        const cell = cellOf(column);
        // Two pods of a deployment differ at the end of their names.
        const text = at === 0 ? cutMiddle(cell.text, most) : cutTo(cell.text, most);
        const room = " ".repeat(Math.max(0, most - width(text)));
        const shown = painted({ ...cell, text }, canvas);
        return column.isNumber === true ? room + shown : at === widths.size - 1 ? shown : shown + room;
      })
      .join(GAP);
  return [
    rowText(({ head }) => ({ text: head })),
    ...rows.map((_, at) => rowText((column) => cells.get(column)?.[at] ?? { text: "" })),
  ].map((row) => fitPlain(row, canvas));
}

/** The columns that have room, and how wide each is: names are cut first, and then columns are left out. */
function fitted<Row>(
  all: readonly Column<Row>[],
  cells: ReadonlyMap<Column<Row>, readonly Cell[]>,
  room: number,
): ReadonlyMap<Column<Row>, number> {
  // Measured once: asked for each row it would be quadratic, 20 s of CPU for 8,000 rows.
  const widths = new Map(
    all.map((column) => [
      column,
      (cells.get(column) ?? []).reduce(
        (widest, { text }) => Math.max(widest, width(text)),
        column.head.length,
      ),
    ]),
  );
  for (;;) {
    const columns = [...widths.keys()];
    const total = [...widths.values()].reduce((sum, one) => sum + one, 0) + GAP.length * (columns.length - 1);
    const over = total - room;
    const [names] = columns;
    const last = columns.at(-1);
    if (over <= 0 || names === undefined || last === undefined) return widths;
    const widthOf = (column: Column<Row>) => widths.get(column) ?? 0;
    const spare = Math.max(...columns.map((column) => column.spare));
    if (widthOf(names) > NAME_WIDTH) widths.set(names, Math.max(NAME_WIDTH, widthOf(names) - over));
    else if (spare === 0) {
      // What cannot be left out is cut.
      widths.set(names, Math.max(4, widthOf(names) - over));
      return widths;
    } else if (last.spare === spare && last.isNumber !== true && widthOf(last) - over >= last.head.length) {
      widths.set(last, widthOf(last) - over);
    } else widths.delete(columns.find((column) => column.spare === spare) ?? last);
  }
}

/** A text of one line in its colour, no wider than so many columns. */
export function painted({ text, code }: Cell, { inColour }: Pick<Canvas, "inColour">): string {
  return inColour && code !== undefined ? `\x1b[${code}m${text}\x1b[0m` : text;
}

function clean({ text, ...how }: Cell): Cell {
  return { text: fit(text, LONGEST_CELL), ...how };
}

export function fit(text: string, columns: number): string {
  return cutTo(line(text), columns);
}

/** Without colours a line can still be too long, where not even the columns that stay have room. */
function fitPlain(text: string, { inColour, columns }: Canvas): string {
  return inColour ? text : fit(text, columns).trimEnd();
}
