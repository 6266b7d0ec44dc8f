import { since, timeOfDay } from "./ages.ts";
import { element, icon, set, write } from "./element.ts";
import { type Fact, showFacts } from "./facts.ts";
import type { Worker } from "./fleet.ts";
import { gauge } from "./gauge.ts";
import { sparkline } from "./sparkline.ts";
import { age, amount, bytes, count, milliseconds, rate } from "./words.ts";

/** A worker's row. Its elements exist as long as the worker is shown, so focus and selection stay. */
export interface WorkerRow {
  readonly root: HTMLTableRowElement;
  readonly show: (worker: Worker, nowMs: number) => void;
}

/** Some cells of a row, in order, and a function that writes them. */
interface Cells {
  readonly cells: readonly HTMLElement[];
  readonly show: (worker: Worker, nowMs: number) => void;
}

/** @param id the id of its details. A node's name may have characters that an id must not have */
export function workerRow(node: string, id: string): WorkerRow {
  const details = element("dl", "facts");
  details.id = id;
  details.hidden = true;
  const name = nameCell(node, id);
  const verdict = verdictCells(details);
  const figures = figureCells();
  const [status, why] = verdict.cells;
  const cells = [status, name.cell, ...figures.cells, why].filter((one) => one !== undefined);
  const root = element("tr", "worker", ...cells);
  set(root, "role", "row");

  let newest: { readonly worker: Worker; readonly nowMs: number } | null = null;
  let isInSight = true;
  const showFigures = () => {
    if (newest === null) return;
    figures.show(newest.worker, newest.nowMs);
    if (!details.hidden) showFacts(details, factsOf(newest.worker));
  };
  name.toggle.addEventListener("click", () => {
    details.hidden = !details.hidden;
    set(name.toggle, "aria-expanded", String(!details.hidden));
    showFigures();
  });
  // The browser draws only the twenty rows in sight of a thousand. The figures of the other rows are not updated until
  // they come into sight.
  root.addEventListener("contentvisibilityautostatechange", (event) => {
    isInSight = !(event as ContentVisibilityAutoStateChangeEvent).skipped;
    if (isInSight) showFigures();
  });
  return {
    root,
    show(worker, nowMs) {
      const isFirst = newest === null;
      newest = { worker, nowMs };
      set(root, "class", `worker ${worker.status}`);
      name.here.hidden = !worker.local;
      verdict.show(worker, nowMs);
      if (isInSight || isFirst) showFigures();
    },
  };
}

function nameCell(node: string, id: string) {
  const toggle = element("button", "node", ...breakable(node));
  toggle.type = "button";
  set(toggle, "aria-expanded", "false");
  set(toggle, "aria-controls", id);
  const here = element("span", "badge", "local");
  here.title = "runs beside celery-probe";
  const cell = element("th", "name", toggle, here);
  cell.scope = "row";
  set(cell, "role", "rowheader");
  return { cell, toggle, here };
}

/** A name may be broken at these characters, so that both ends stay readable. */
const BREAKS = new Set(["@", ".", "-", "_"]);

/** A name with places where a line may end. */
function breakable(name: string): (Node | string)[] {
  const pieces: (Node | string)[] = [];
  let piece = "";
  for (const character of name) {
    piece += character;
    if (!BREAKS.has(character)) continue;
    pieces.push(piece, element("wbr", ""));
    piece = "";
  }
  return [...pieces, piece];
}

/** The worker's state and its reason. */
function verdictCells(details: HTMLElement): Cells {
  const sign = icon();
  const word = element("span", "word");
  const reason = element("span", "reason");
  const fact = element("p", "fact");
  const hint = element("p", "hint");
  const notes = element("p", "quiet");
  return {
    cells: [
      cell("status", sign.root, element("span", "words", word, reason)),
      cell("why", fact, hint, notes, details),
    ],
    show(worker) {
      const isPlain = needsNoReason(worker);
      sign.show(worker.status);
      write(word, worker.status);
      write(reason, isPlain ? "" : worker.reason);
      write(fact, isPlain ? "" : worker.message);
      write(hint, isPlain ? "" : (worker.hint ?? ""));
      write(notes, remarks(worker));
    },
  };
}

/** The cells that change with every look. */
function figureCells(): Cells {
  const changed = since();
  const clock = element("span", "quiet");
  const line = sparkline();
  const perSecond = element("span", "number");
  const busy = gauge();
  const queues = element("span", "");
  return {
    cells: [
      cell("since", changed.root, clock),
      cell("rate", line.root, perSecond),
      cell("busy", busy.root),
      cell("queues", queues),
    ],
    show(worker, nowMs) {
      changed.show(worker.since);
      write(clock, timeOfDay(worker.since, nowMs));
      line.show(worker.trend);
      write(perSecond, worker.per_second === null ? "–" : rate(worker.per_second));
      busy.show(worker.active, worker.slots);
      write(queues, worker.queues.join(", "));
    },
  };
}

function cell(className: string, ...content: readonly (Node | string)[]): HTMLTableCellElement {
  const made = element("td", className, ...content);
  set(made, "role", "cell");
  return made;
}

/** Whether no reason is needed here, because the broker's trouble is shown once, above all workers. */
function needsNoReason({ reason }: Worker): boolean {
  return reason === "alive" || reason.startsWith("broker-");
}

/** What the viewer should know about a worker even if it is healthy. */
function remarks({ copies, restarts }: Worker): string {
  const remarks: string[] = [];
  if (copies > 1) remarks.push(`${count(copies, "worker")} have this name: give each its own with -n`);
  if (restarts > 0) remarks.push(restarts === 1 ? "restarted once" : `restarted ${count(restarts, "time")}`);
  return remarks.join(" · ");
}

/** All that is known about a worker. */
function factsOf(worker: Worker): readonly Fact[] {
  const { oldest_task: oldest, last_evidence: evidence, ping_ms: ping, memory_bytes: memory } = worker;
  const heard = since();
  heard.show(evidence);
  return [
    ["Verdict", needsNoReason(worker) ? worker.message : null],
    ["Last sign of life", element("span", "ago", heard.root)],
    ["Answer to a ping", ping === null ? null : milliseconds(ping)],
    ["Oldest task", oldest === null ? null : `${oldest.name}, for ${age(oldest.age_s)}`],
    ["Tasks done", worker.processed === null ? null : amount(worker.processed)],
    ["Process", worker.pid === null ? null : String(worker.pid)],
    ["Celery", worker.celery_version],
    ["Memory", memory === null ? null : bytes(memory)],
  ];
}
