import { line, ours, type Printable } from "./gate.ts";
import { shortened } from "./speech.ts";

/** One metric with all of its series. */
export interface Family {
  /** A counter's name ends with `_total`. */
  readonly name: string;
  readonly type: "gauge" | "counter";
  readonly help: string;
  readonly samples: readonly Sample[];
}

export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** The forms in which Prometheus reads metrics, each with its Content-Type: version 3 refuses any other. */
export const FORMATS = {
  text: "text/plain; version=0.0.4; charset=utf-8",
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
} as const;

export type Format = keyof typeof FORMATS;

/** Metrics as Prometheus reads them: its text format 0.0.4, or OpenMetrics 1.0.0. */
export function exposition(families: readonly Family[], format: Format): Printable {
  const blocks = families.map((family) => block(family, format));
  return ours(blocks.join("") + (format === "openmetrics" ? "# EOF\n" : ""));
}

function block({ name, type, help, samples }: Family, format: Format): string {
  const isOpen = format === "openmetrics";
  const family = isOpen && type === "counter" ? name.replace(/_total$/, "") : name;
  const escapedHelp = isOpen ? escaped(help) : help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
  // Two names may be alike once they are shortened, and a series that comes twice spoils the whole scrape.
  const rows = new Map<string, number>();
  for (const { labels, value } of samples) {
    const series = name + labelText(labels);
    if (Number.isFinite(value) && !rows.has(series)) rows.set(series, value);
  }
  if (rows.size === 0) return "";
  const lines = [...rows].map(([series, value]) => `${series} ${value}\n`).join("");
  return `# HELP ${family} ${escapedHelp}\n# TYPE ${family} ${type}\n${lines}`;
}

/** Characters of a label's value: names are shorter, and what is not a name is from somebody hostile. */
const LONGEST_VALUE = 255;

function labelText(labels: Sample["labels"]): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${labelValue(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function labelValue(value: string): string {
  return escaped(line(shortened(value, LONGEST_VALUE)));
}

function escaped(text: string): string {
  return /[\\"\n]/.test(text)
    ? text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")
    : text;
}
