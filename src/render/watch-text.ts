import type { NodeRow, NodeState, QueueRow, View } from "../watch/view.ts";
import { brokerStatement } from "./broker-words.ts";
import { line } from "./gate.ts";
import { amount, bytes, seconds } from "./speech.ts";
import { cutTo, width } from "./width.ts";

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

/** SGR codes of ECMA-48. */
const COLOUR: { readonly [K in NodeState["kind"]]: number } = { alive: 32, busy: 33, silent: 31 };
const BOLD = 1;
const RED = 31;

const BARS = "▁▂▃▄▅▆▇█";
const ASCII_BARS = "_.-=+*#@";

/** A cell, and how it is shown. */
interface Cell {
  readonly text: string;
  readonly code?: number;
}

interface Column<Row> {
  readonly head: string;
  readonly cell: (row: Row, canvas: Canvas) => Cell;
  readonly isNumber?: boolean;
  /** The higher, the sooner it is left out where the terminal is narrow; 0 stays. */
  readonly spare: number;
}

const NODE_COLUMNS: readonly Column<NodeRow>[] = [
  { head: "NODE", cell: ({ node }) => ({ text: node }), spare: 0 },
  { head: "STATE", cell: ({ state }) => ({ text: stateText(state), code: COLOUR[state.kind] }), spare: 0 },
  {
    head: "ACTIVE",
    cell: ({ active, slots }) => ({ text: `${active ?? "-"}${slots ? `/${slots}` : ""}` }),
    isNumber: true,
    spare: 1,
  },
  {
    head: "/S",
    cell: ({ perS }) => ({ text: perS === null ? "-" : perS.toFixed(1) }),
    isNumber: true,
    spare: 2,
  },
  {
    head: "TOTAL",
    cell: ({ processed }) => ({ text: processed === null ? "-" : String(processed) }),
    isNumber: true,
    spare: 4,
  },
  {
    head: "MEMORY",
    cell: ({ memory }) => ({ text: memory === null ? "-" : bytes(memory) }),
    isNumber: true,
    spare: 5,
  },
  {
    head: "OLDEST TASK",
    cell: ({ oldest }) => ({ text: oldest === null ? "-" : `${seconds(oldest.ageS)} ${oldest.name}` }),
    spare: 3,
  },
];

const QUEUE_COLUMNS: readonly Column<QueueRow>[] = [
  { head: "QUEUE", cell: ({ queue }) => ({ text: queue }), spare: 0 },
  {
    head: "LENGTH",
    cell: ({ length }) => ({ text: length === null ? "-" : String(length) }),
    isNumber: true,
    spare: 0,
  },
  {
    head: "CONSUMERS",
    cell: ({ consumers }) => ({ text: String(consumers), ...(consumers === 0 ? { code: RED } : {}) }),
    isNumber: true,
    spare: 2,
  },
  { head: "TREND", cell: ({ trend }, { isUnicode }) => ({ text: sparkline(trend, isUnicode) }), spare: 1 },
];

/** A picture: lines that are no wider than the canvas, and no more than it has. */
export function watchLines(view: View, canvas: Canvas): readonly string[] {
  const { columns, inColour } = canvas;
  const paint = ({ text, code }: Cell, columns: number): string => {
    const shown = fit(text, columns);
    return inColour && code !== undefined ? `\x1b[${code}m${shown}\x1b[0m` : shown;
  };
  const clock = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" }).format(view.atS * 1_000);
  const keys = canvas.hasKeys ? "  q: quit" : "";
  const counts = `${amount(view.nodes.length, "node")}${view.nameless > 0 ? `, ${view.nameless} more that do not answer` : ""}`;
  const head = [
    paint({ text: `${clock}  ${view.broker}  ${counts}${keys}`, code: BOLD }, columns),
    ...(view.trouble === null
      ? []
      : [
          paint(
            {
              text: `broker: ${troubleText(view)}, for ${seconds(view.trouble.sinceS)}; trying again`,
              code: RED,
            },
            columns,
          ),
        ]),
  ];
  const nodes = tableOf(NODE_COLUMNS, view.nodes, canvas, paint);
  const queues = tableOf(QUEUE_COLUMNS, view.queues, canvas, paint);
  const empty =
    view.nodes.length === 0 && view.trouble === null
      ? [fit("no worker is heard, and none answers", columns)]
      : nodes;
  const room = Math.max(0, canvas.rows - head.length);
  const above = ["", ...empty];
  const below = view.queues.length === 0 ? [] : ["", ...queues];
  // Both, or half of it for each; where not even a queue's row has room, nodes alone.
  const least = Math.min(above.length, Math.max(LEAST_ROWS, Math.ceil(room / 2)));
  const forQueues = Math.min(below.length, room - least);
  const shownBelow = forQueues < LEAST_ROWS ? [] : shortened(below, forQueues, columns);
  return [...head, ...shortened(above, room - shownBelow.length, columns), ...shownBelow];
}

/** An empty row, the names of the columns, and one row. */
const LEAST_ROWS = 3;

/** Names that are longer are cut before a column is left out. */
const NAME_WIDTH = 24;

/** Every row is as wide as the longest name: one of 16,000 characters would make each of them as long. */
const LONGEST_CELL = 255;

function tableOf<Row>(
  all: readonly Column<Row>[],
  rows: readonly Row[],
  canvas: Canvas,
  paint: (cell: Cell, width: number) => string,
): readonly string[] {
  const columns = [...all];
  const most = new Map<Column<Row>, number>();
  const cells = new Map(all.map((column) => [column, rows.map((row) => clean(column.cell(row, canvas)))]));
  // Measured once: asked for each row it would be quadratic, 20 s of CPU for 8,000 rows.
  const natural = new Map(
    all.map((column) => [
      column,
      (cells.get(column) ?? []).reduce(
        (widest, { text }) => Math.max(widest, width(text)),
        column.head.length,
      ),
    ]),
  );
  const widthOf = (column: Column<Row>) => Math.min(most.get(column) ?? Infinity, natural.get(column) ?? 0);
  for (;;) {
    const total =
      columns.reduce((sum, column) => sum + widthOf(column), 0) + GAP.length * (columns.length - 1);
    const over = total - canvas.columns;
    const [names] = columns;
    const last = columns.at(-1);
    if (over <= 0 || names === undefined || last === undefined) break;
    const spare = Math.max(...columns.map((column) => column.spare));
    if (widthOf(names) > NAME_WIDTH) {
      most.set(names, Math.max(NAME_WIDTH, widthOf(names) - over));
    } else if (spare === 0) {
      // What cannot be left out is cut.
      most.set(names, Math.max(4, widthOf(names) - over));
      break;
    } else if (last.spare === spare && last.isNumber !== true && widthOf(last) - over >= last.head.length) {
      most.set(last, widthOf(last) - over);
    } else {
      columns.splice(
        columns.findIndex((column) => column.spare === spare),
        1,
      );
    }
  }
  const rowText = (cellOf: (column: Column<Row>) => Cell) =>
    columns
      .map((column, at) => {
        const cell = cellOf(column);
        const columnWidth = widthOf(column);
        const room = " ".repeat(Math.max(0, columnWidth - width(cell.text)));
        const shown = paint(cell, columnWidth);
        return column.isNumber === true ? room + shown : at === columns.length - 1 ? shown : shown + room;
      })
      .join(GAP);
  const shown = [
    rowText(({ head }) => ({ text: head })),
    ...rows.map((_, at) => rowText((column) => cells.get(column)?.[at] ?? { text: "" })),
  ];
  return shown.map((row) => fitPlain(row, canvas));
}

const GAP = "  ";

function clean({ text, ...how }: Cell): Cell {
  return { text: fit(text, LONGEST_CELL), ...how };
}

/** Lines that do not fit are counted. */
function shortened(lines: readonly string[], room: number, columns: number): readonly string[] {
  if (lines.length <= room) return lines;
  const shown = Math.max(0, room - 1);
  return [...lines.slice(0, shown), fit(`… ${lines.length - shown} more`, columns)].slice(
    0,
    Math.max(0, room),
  );
}

function fit(text: string, columns: number): string {
  return cutTo(line(text), columns);
}

/** Without colours a line can still be too long, where not even the columns that stay have room. */
function fitPlain(text: string, { inColour, columns }: Canvas): string {
  return inColour ? text : fit(text, columns).trimEnd();
}

function stateText(state: NodeState): string {
  return state.kind === "silent" ? `silent ${seconds(state.forS)}` : state.kind;
}

/** A line of bars, from nothing to the most there was; flat where it was always the same. */
function sparkline(trend: readonly number[], isUnicode: boolean): string {
  const bars = isUnicode ? BARS : ASCII_BARS;
  const most = Math.max(...trend, 1);
  return trend.map((length) => bars[Math.round((length / most) * (bars.length - 1))] ?? "").join("");
}

/** What is wrong with the broker; nothing where it is well. */
export function troubleText({ broker, trouble }: View): string {
  return trouble === null ? "" : brokerStatement(broker, trouble.failure).fact;
}
