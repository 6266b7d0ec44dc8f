import type { Machine } from "./machine.ts";
import type { Charge, MedianTraffic } from "./measure.ts";
import type { Cost } from "./run.ts";
import { median, medianRatio } from "./statistics.ts";

/** One contender with its measured values, or the reason why it was not measured. */
export type Row =
  | { readonly name: string; readonly details: string; readonly absent: string }
  | {
      readonly name: string;
      readonly details: string;
      readonly absent?: undefined;
      /** By round. */
      readonly costs: readonly Cost[];
      readonly instructions: number;
      readonly traffic: MedianTraffic;
      /** Or the reason why it could not be measured. */
      readonly charge: Charge | string;
      /** Null: more than one file must be installed. */
      readonly fileBytes: number | null;
    };

/** One executable of a release. */
export interface Flavour {
  /** The form of its file's name: `linux-amd64-musl`. */
  readonly name: string;
  readonly fileBytes: number;
  readonly tarballBytes: number;
  readonly wheelBytes: number;
  readonly isEmulated: boolean;
  /** By round; empty if it cannot be started here. */
  readonly costs: readonly Cost[];
}

export type MeasuredRow = Extract<Row, { absent?: undefined }>;

export interface Report {
  readonly rows: readonly Row[];
  /** The rows that the others are compared with. */
  readonly floor: MeasuredRow;
  readonly replaced: MeasuredRow;
  readonly flavours: readonly Flavour[];
  readonly machine: Machine;
  readonly rounds: number;
  /** The chart's file, beside the page. */
  readonly chart: string;
}

/** docs/performance.md. */
export function performancePage(report: Report): string {
  const { rows, machine, rounds, chart } = report;
  const missing = rows.filter((row) => row.absent !== undefined);
  return `${[
    `# Performance

What one health check costs, measured side by side in one run on one machine: ${rounds} rounds. Each round starts every
contender once, in random order. All of them ask about the same idle Celery worker, and run in its container. Their
environment has only PATH, LANG and the broker's URL. Each run must end with exit code 0. \`npm run bench\` makes this page.`,
    `![Wall and CPU time of each contender](${chart})`,
    `## What it costs`,
    table(
      [
        "",
        "wall ms (least)",
        "CPU ms",
        "instructions, millions",
        "peak RSS MB",
        "charged MB, warm",
        "charged MB, cold",
        "wall ms, cold",
        "file MB",
        "sent bytes",
        "received bytes",
        "commands",
      ],
      rows.map(costCells),
    ),
    notes(rows),
    `## How many times the other's`,
    `The median of the ratios of each round, in which both ran within seconds of each other.`,
    table(
      [
        "",
        `wall, of *${report.floor.name}*`,
        "CPU",
        "peak RSS",
        `wall, of *${report.replaced.name}*`,
        "CPU",
        "peak RSS",
      ],
      rows.map((row) => ratioCells(row, report)),
    ),
    `## Every executable of a release`,
    `What \`npm run package\` makes: the executable, what it is in a \`.tar.gz\` and in a wheel, and what a check of the same worker
costs. *By qemu* means that this machine emulates another architecture, and counts qemu's own memory. The figures say
nothing about a machine of that architecture.`,
    table(
      ["", "file MB", "`.tar.gz` MB", "wheel MB", "wall ms", "CPU ms", "peak RSS MB"],
      report.flavours.map(flavourCells),
    ),
    `## Who runs`,
    rows.map(({ name, details }) => `* **${name}**: ${details}.`).join("\n"),
    ...(missing.length === 0
      ? []
      : [missing.map(({ name, absent }) => `Not measured: **${name}**, ${absent}.`).join("\n")]),
    `## The machine`,
    table(
      ["", ""],
      machine.map((line) => [...line]),
    ),
  ].join("\n\n")}\n`;
}

function notes(rows: readonly Row[]): string {
  const obstacles = new Set(
    rows.flatMap((row) => (row.absent === undefined && typeof row.charge === "string" ? [row.charge] : [])),
  );
  return `Medians. **CPU** is user and system time of the process and its children. **Instructions** are counted in
user mode, by valgrind's callgrind. **Peak RSS** includes the mapped pages of files.
**Charged** is the peak of a fresh memory cgroup around the one run: this counts against a container's limit. *Warm* means
that the files are in the page cache already, charged to an earlier reader. *Cold* means that the page cache was dropped:
the run is charged for what it reads, until the kernel takes it back. Files that the running worker and Redis have mapped,
such as Python's, stay in memory even then. **Sent**, **received** and **commands** count what passes between the contender
and Redis. MB are 10⁶ bytes.${[...obstacles].map((text) => ` Not measured here: charged memory and cold starts (${text}).`).join("")}`;
}

function costCells(row: Row): string[] {
  if (row.absent !== undefined) return [row.name, "not measured", ...Array.from({ length: 10 }, () => "–")];
  const { costs, charge, traffic, fileBytes } = row;
  const walls = costs.map(({ wallMs }) => wallMs);
  return [
    row.name,
    `${threeDigits(median(walls))} (${threeDigits(Math.min(...walls))})`,
    threeDigits(median(costs.map(({ cpuMs }) => cpuMs))),
    threeDigits(row.instructions / 1e6),
    threeDigits(median(costs.map(({ peakBytes }) => peakBytes)) / 1e6),
    ...(typeof charge === "string"
      ? ["–", "–", "–"]
      : [
          threeDigits(charge.warmBytes / 1e6),
          threeDigits(charge.coldBytes / 1e6),
          threeDigits(charge.coldMs),
        ]),
    fileBytes === null ? "–" : threeDigits(fileBytes / 1e6),
    String(traffic.sentBytes),
    String(traffic.receivedBytes),
    String(traffic.commands),
  ];
}

function flavourCells({ name, costs, isEmulated, ...sizes }: Flavour): string[] {
  return [
    isEmulated ? `${name}, by qemu` : name,
    ...[sizes.fileBytes, sizes.tarballBytes, sizes.wheelBytes].map((bytes) => threeDigits(bytes / 1e6)),
    ...(["wallMs", "cpuMs", "peakBytes"] as const).map((what) =>
      costs.length === 0
        ? "–"
        : threeDigits(median(costs.map((cost) => cost[what])) / (what === "peakBytes" ? 1e6 : 1)),
    ),
  ];
}

function ratioCells(row: Row, { floor, replaced }: Report): string[] {
  if (row.absent !== undefined) return [row.name, "–", "–", "–", "–", "–", "–"];
  const ratio = (other: MeasuredRow, what: keyof Cost) =>
    times(
      medianRatio(
        row.costs.map((cost) => cost[what]),
        other.costs.map((cost) => cost[what]),
      ),
    );
  return [
    row.name,
    ...[floor, replaced].flatMap((other) =>
      (["wallMs", "cpuMs", "peakBytes"] as const).map((what) => ratio(other, what)),
    ),
  ];
}

/** `1.42 ×`, or `1/30` for a ratio below one. */
export function times(ratio: number): string {
  if (ratio > 0 && ratio < 0.5) return `1/${threeDigits(1 / ratio)}`;
  return `${threeDigits(ratio)} ×`;
}

/** Three significant digits. No machine is precise enough for more. */
export function threeDigits(value: number): string {
  if (value >= 100) return String(Math.round(value));
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (columns: readonly string[]) => `| ${columns.join(" | ")} |`;
  const alignment = head.map((_, column) => (column === 0 || head.length === 2 ? "---|" : "---:|")).join("");
  return [line(head), `|${alignment}`, ...rows.map(line)].join("\n");
}
