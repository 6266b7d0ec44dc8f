import type { Format } from "../../src/render/exposition.ts";

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const SERIES = /^(?<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(?<labels>.*)\})? (?<value>\S+)$/;
const LABEL = /^(?<name>[a-zA-Z_][a-zA-Z0-9_]*)="(?<value>(?:[^"\\\n]|\\["\\n])*)"(?:,|$)/;
const NUMBER = /^-?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/;

export interface Series {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/**
 * Reads metrics as strictly as the specifications of both formats allow.
 *
 * @throws Error with the line that breaks a rule
 */
export function parseExposition(text: string, format: Format): readonly Series[] {
  const isOpen = format === "openmetrics";
  if (!text.endsWith(isOpen ? "\n# EOF\n" : "\n")) throw new Error(`the end is '${text.slice(-20)}'`);
  const lines = text.split("\n").slice(0, isOpen ? -2 : -1);
  const seen = new Set<string>();
  const families = new Set<string>();
  const all: Series[] = [];
  let family = { name: "", type: "" };
  for (const [at, line] of lines.entries()) {
    const [, kind, name = "", words = ""] = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line) ?? [];
    const wrong = (why: string) => new Error(`line ${at + 1} ${why}: ${line}`);
    if (kind === "HELP") {
      if (!NAME.test(name) || families.has(name)) throw wrong("names a family again");
      families.add(name);
      if (isOpen && /(?<!\\)"/.test(words)) throw wrong("has a free quote");
      if (!(lines[at + 1] ?? "").startsWith(`# TYPE ${name} `)) throw wrong("is not followed by its type");
      continue;
    }
    if (kind === "TYPE") {
      family = { name, type: words };
      if (!/^(?:gauge|counter)$/.test(words)) throw wrong("has an unknown type");
      if ((words === "counter" && !isOpen) !== name.endsWith("_total")) throw wrong("has a wrong suffix");
      continue;
    }
    const { name: series = "", labels = "", value = "" } = SERIES.exec(line)?.groups ?? {};
    if (series !== family.name + (isOpen && family.type === "counter" ? "_total" : ""))
      throw wrong("is in no family");
    if (!NUMBER.test(value) || (family.type === "counter" && value.startsWith("-")))
      throw wrong("has no number");
    const key = line.slice(0, line.lastIndexOf(" "));
    if (seen.has(key)) throw wrong("comes twice");
    seen.add(key);
    all.push({ name: series, labels: labelsOf(labels, wrong), value: Number(value) });
  }
  return all;
}

function labelsOf(text: string, wrong: (why: string) => Error): Readonly<Record<string, string>> {
  const labels: Record<string, string> = {};
  for (let rest = text; rest !== "";) {
    const { name = "", value = "" } = LABEL.exec(rest)?.groups ?? {};
    if (name === "" || Object.hasOwn(labels, name)) throw wrong("has wrong labels");
    labels[name] = value.replace(/\\(.)/g, (_, one: string) => (one === "n" ? "\n" : one));
    rest = rest.slice(LABEL.exec(rest)?.[0].length);
  }
  return labels;
}
