import { line } from "./gate.ts";
import { cutMiddle, cutTo, width } from "./width.ts";

/** What the terminal can show. */
export interface Canvas {
  readonly columns: number;
  /** Infinity: no limit. */
  readonly rows: number;
  readonly inColour: boolean;
  /** Whether the terminal shows more than ASCII. */
  readonly isUnicode: boolean;
  /** Whether keys are read. */
  readonly hasKeys: boolean;
}

/** A cell, and the SGR code of ECMA-48 for its colour. */
export interface Cell {
  readonly text: string;
  readonly code?: number;
}

export interface Column<Row> {
  readonly head: string;
  readonly cell: (row: Row, canvas: Canvas) => Cell;
  readonly isNumber?: boolean;
  /** On a narrow terminal the column with the highest number is left out first. 0: never left out. */
  readonly spare: number;
}

/** In columns. Longer names are cut before a column is left out. */
const NAME_WIDTH = 24;

/** In columns. All rows are as wide as the longest name, so a name of 16,000 characters would make all rows as long. */
const LONGEST_CELL = 255;

const GAP = "  ";

/** A head and rows that fit on the canvas. */
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
        // The names of two pods of a deployment differ at their ends.
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

/** The columns that fit, and their widths. Names are cut first, then columns are left out. */
function fitted<Row>(
  all: readonly Column<Row>[],
  cells: ReadonlyMap<Column<Row>, readonly Cell[]>,
  room: number,
): ReadonlyMap<Column<Row>, number> {
  // Measured once. Measuring for each row again would be quadratic, 20 s of CPU for 8,000 rows.
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
      // A column that cannot be left out is cut.
      widths.set(names, Math.max(4, widthOf(names) - over));
      return widths;
    } else if (last.spare === spare && last.isNumber !== true && widthOf(last) - over >= last.head.length) {
      widths.set(last, widthOf(last) - over);
    } else widths.delete(columns.find((column) => column.spare === spare) ?? last);
  }
}

/** The text in its colour, if the terminal has colours. */
export function painted({ text, code }: Cell, { inColour }: Pick<Canvas, "inColour">): string {
  return inColour && code !== undefined ? `\x1b[${code}m${text}\x1b[0m` : text;
}

function clean({ text, ...how }: Cell): Cell {
  return { text: fit(text, LONGEST_CELL), ...how };
}

export function fit(text: string, columns: number): string {
  return cutTo(line(text), columns);
}

/** Cuts a line that is still too long: some columns stay even without room. A line with colours is not cut. */
function fitPlain(text: string, { inColour, columns }: Canvas): string {
  return inColour ? text : fit(text, columns).trimEnd();
}
