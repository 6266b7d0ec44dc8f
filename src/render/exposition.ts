import { line, ours, type Printable } from "./gate.ts";
import { shortened } from "./speech.ts";

/** A metric and all its series. */
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

/** The formats of Prometheus, with their Content-Type. Prometheus 3 refuses any other. */
export const FORMATS = {
  text: "text/plain; version=0.0.4; charset=utf-8",
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
} as const;

export type Format = keyof typeof FORMATS;

/** Writes metrics in Prometheus' text format 0.0.4, or in OpenMetrics 1.0.0. */
export function exposition(families: readonly Family[], format: Format): Printable {
  const values: Values = new Map();
  const blocks = families.map((family) => block(family, format, values));
  return ours(blocks.join("") + (format === "openmetrics" ? "# EOF\n" : ""));
}

/** Escaped values of labels. A worker's name occurs ten times. */
type Values = Map<string, string>;

function block({ name, type, help, samples }: Family, format: Format, values: Values): string {
  const isOpen = format === "openmetrics";
  const family = isOpen && type === "counter" ? name.replace(/_total$/, "") : name;
  const escapedHelp = isOpen ? escaped(help) : help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
  // Two names may become equal when they are shortened. Prometheus refuses the whole scrape if a series occurs twice.
  const rows = new Map<string, number>();
  for (const { labels, value } of samples) {
    const series = name + labelText(labels, values);
    if (Number.isFinite(value) && !rows.has(series)) rows.set(series, value);
  }
  if (rows.size === 0) return "";
  const lines = [...rows].map(([series, value]) => `${series} ${value}\n`).join("");
  return `# HELP ${family} ${escapedHelp}\n# TYPE ${family} ${type}\n${lines}`;
}

/** Characters of a label's value. Real names are shorter, so longer text is hostile. */
const LONGEST_VALUE = 255;

function labelText(labels: Sample["labels"], values: Values): string {
  let pairs = "";
  for (const name in labels)
    pairs += `${pairs === "" ? "{" : ","}${name}="${labelValue(labels[name] ?? "", values)}"`;
  return pairs === "" ? "" : `${pairs}}`;
}

function labelValue(value: string, values: Values): string {
  const known = values.get(value);
  if (known !== undefined) return known;
  const written = escaped(line(shortened(value, LONGEST_VALUE)));
  values.set(value, written);
  return written;
}

function escaped(text: string): string {
  return /[\\"\n]/.test(text)
    ? text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")
    : text;
}
