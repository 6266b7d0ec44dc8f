import type { FleetNode, FleetQueue, FleetVerdict, FleetView } from "../fleet/fleet-view.ts";
import { brokerStatement } from "./broker-words.ts";
import { amount, bytes, seconds } from "./speech.ts";
import { type Canvas, type Column, fit, painted, tableOf } from "./watch-table.ts";

/** SGR codes of ECMA-48. */
const BOLD = 1;
const RED = 31;
const YELLOW = 33;
const GREEN = 32;

const BARS = "▁▂▃▄▅▆▇█";
const ASCII_BARS = "_.-=+*#@";

const NODE_COLUMNS: readonly Column<FleetNode>[] = [
  { head: "NODE", cell: ({ node }) => ({ text: node }), spare: 0 },
  {
    head: "STATE",
    cell: ({ verdict }) => ({ text: stateText(verdict), code: colourOf(verdict) }),
    spare: 0,
  },
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

const QUEUE_COLUMNS: readonly Column<FleetQueue>[] = [
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

/** What a user has chosen on the screen. */
export interface Stand {
  /** The number of rows that are scrolled out at the top. */
  readonly scroll: number;
  readonly wantsHelp: boolean;
}

export const TOP: Stand = { scroll: 0, wantsHelp: false };

const HELP = [
  "",
  "up, down, page up, page down   scroll: the worst nodes come first",
  "?                              this help; any key leaves it",
  "q, Ctrl-C                      quit",
  "",
  "alive          it is heard or answers",
  "busy           silent for less than the grace: a task may block it",
  "hung           silent for longer",
  "deaf           its heartbeats come, and it does not answer",
  "not-consuming  it runs nothing while messages wait for it",
  "gone           it ended, or nobody is subscribed in its name",
  "undecided      there was no time to hear it",
];

/** A picture as lines that fit on the canvas. */
export function watchLines(view: FleetView, canvas: Canvas, stand = TOP): readonly string[] {
  const { columns } = canvas;
  const head = headOf(view, canvas);
  const room = Math.max(0, canvas.rows - head.length);
  if (stand.wantsHelp) return [...head, ...HELP.map((line) => fit(line, columns)).slice(0, room)];
  const nodes = view.nodes.length === 0 ? emptyOf(view, columns) : tableOf(NODE_COLUMNS, view.nodes, canvas);
  const queues =
    view.queues.length === 0 ? [] : tableOf(QUEUE_COLUMNS, view.queues.toSorted(orphansFirst), canvas);
  const { forNodes, forQueues } = shared(nodes.length, queues.length, room);
  const spare = Math.max(0, nodes.length - forNodes + 1);
  return [
    ...head,
    ...shownOf(nodes, forNodes, stand.scroll, columns),
    ...shownOf(queues, forQueues, Math.max(0, stand.scroll - spare), columns),
  ];
}

/** The largest `scroll`. */
export function mostScroll(view: FleetView): number {
  return view.nodes.length + view.queues.length;
}

/** The first lines: time and broker, the number of nodes in each state, and any problem with the broker. */
function headOf(view: FleetView, canvas: Canvas): readonly string[] {
  const { columns, hasKeys } = canvas;
  const clock = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" }).format(view.atS * 1_000);
  const text = `${clock}  ${view.broker.shown}  ${countsText(view)}${hasKeys ? "  q: quit  ?: help" : ""}`;
  const first = painted({ text: fit(text, columns), code: BOLD }, canvas);
  const { trouble } = view.broker;
  if (trouble === null) return [first];
  const forS = Math.max(0, view.atS - trouble.sinceS);
  const said = `broker: ${troubleText(view)}, for ${seconds(forS)}; trying again`;
  return [first, painted({ text: fit(said, columns), code: RED }, canvas)];
}

/** `12 nodes: 1 hung, 11 alive`, the worst first. */
function countsText({ nodes, nameless }: FleetView): string {
  const counts = new Map<string, number>();
  for (const { verdict } of nodes) counts.set(verdict.reason, (counts.get(verdict.reason) ?? 0) + 1);
  const states = [...counts].map(([reason, count]) => `${count} ${reason}`).join(", ");
  const more = nameless > 0 ? `, ${nameless} more that do not answer` : "";
  return `${amount(nodes.length, "node")}${states === "" ? "" : `: ${states}`}${more}`;
}

function emptyOf({ broker, rounds }: FleetView, columns: number): readonly string[] {
  if (broker.trouble !== null) return [];
  return [fit(rounds.done === 0 ? "listening …" : "no worker is heard, and none answers", columns)];
}

/** Queues with messages and without consumers come first. */
function orphansFirst(one: FleetQueue, other: FleetQueue): number {
  return Number(isOrphan(other)) - Number(isOrphan(one));
}

function isOrphan({ consumers, length }: FleetQueue): boolean {
  return consumers === 0 && (length ?? 0) > 0;
}

/** An empty row, the names of the columns, and one row. */
const LEAST_ROWS = 3;

/**
 * The rows for each table, including an empty row above it. If both tables do not fit, each gets half. If half is too
 * little, only nodes are shown.
 */
function shared(nodes: number, queues: number, room: number) {
  const above = nodes + 1;
  const below = queues === 0 ? 0 : queues + 1;
  const least = Math.min(above, Math.max(LEAST_ROWS, Math.ceil(room / 2)));
  const rest = Math.min(below, room - least);
  const forQueues = rest < LEAST_ROWS ? 0 : rest;
  return { forNodes: Math.min(above, room - forQueues), forQueues };
}

/** An empty line, the head of a table, and as many rows as fit. Further rows are counted. */
function shownOf(table: readonly string[], room: number, scroll: number, columns: number): readonly string[] {
  if (room <= 0) return [];
  if (table.length + 1 <= room) return table.length === 0 ? [] : ["", ...table];
  const [head = "", ...rows] = table;
  const shown = Math.max(0, room - 3);
  const from = Math.min(scroll, rows.length - shown);
  const after = rows.length - from - shown;
  const rest = [from > 0 ? `${from} above` : "", after > 0 ? `${after} more` : ""].filter(
    (one) => one !== "",
  );
  return ["", head, ...rows.slice(from, from + shown), fit(`… ${rest.join(", ")}`, columns)].slice(0, room);
}

/** A verdict in a cell: its reason, and its duration if that is useful. */
function stateText(verdict: FleetVerdict): string {
  if ("silentS" in verdict) return `${verdict.reason} ${seconds(verdict.silentS)}`;
  return "forS" in verdict && verdict.reason !== "undecided" && typeof verdict.forS === "number"
    ? `${verdict.reason} ${seconds(verdict.forS)}`
    : verdict.reason;
}

function colourOf({ status, reason }: FleetVerdict): number {
  if (status === "unhealthy") return RED;
  return reason === "alive" ? GREEN : YELLOW;
}

/** The trend as bars, from zero to the largest value. */
function sparkline(trend: readonly number[], isUnicode: boolean): string {
  const bars = isUnicode ? BARS : ASCII_BARS;
  const most = Math.max(...trend, 1);
  return trend.map((length) => bars[Math.round((length / most) * (bars.length - 1))] ?? "").join("");
}

/** The problem with the broker. Empty if there is no problem. */
export function troubleText({ broker: { shown, trouble } }: FleetView): string {
  return trouble === null ? "" : brokerStatement(shown, trouble.failure).fact;
}
