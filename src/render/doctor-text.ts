import type { Code, Finding, Level } from "../doctor/finding.ts";
import { findingWords } from "./findings/finding-words.ts";
import { line } from "./gate.ts";
import { amount, names, sentence } from "./speech.ts";
import { cutTo, wrapped } from "./width.ts";

const MARK: { readonly [L in Level]: string } = {
  ok: "ok",
  skipped: "-",
  warning: "warning",
  problem: "PROBLEM",
};

/** SGR codes of ECMA-48: green, grey, yellow, red. */
const COLOUR: { readonly [L in Level]: number } = { ok: 32, skipped: 90, warning: 33, problem: 31 };

const MARK_WIDTH = 8;

/** How to show findings. With `columns` (a terminal) lines are wrapped; otherwise each sentence is one line. */
export interface Canvas {
  readonly columns: number | null;
  readonly inColour: boolean;
}

export const PLAIN_CANVAS: Canvas = { columns: null, inColour: false };

/** Findings of one code with the same words. */
interface Told {
  readonly finding: Finding;
  readonly about: readonly string[];
  readonly seen: string;
  readonly next: string | null;
}

/** A finding for people: what was seen, and below it the next step. */
export function findingLines(finding: Finding): readonly string[] {
  return toldLines(told(finding), PLAIN_CANVAS);
}

function told(finding: Finding): Told {
  return { finding, about: finding.about === null ? [] : [finding.about], ...findingWords(finding) };
}

function toldLines({ finding: { code, level }, about, seen, next }: Told, canvas: Canvas): readonly string[] {
  const subject = about.length === 0 ? code : `${code} ${names(about)}`;
  return saidLines(`${marked(level, canvas.inColour)} `, `${subject}: ${seen}`, next, canvas);
}

/** What was seen, with `lead` in front, and below it the next step. */
function saidLines(lead: string, seen: string, next: string | null, canvas: Canvas): readonly string[] {
  return [
    ...hanging(lead, sentence(seen), MARK_WIDTH + 1, canvas),
    ...(next === null ? [] : hanging(ARROW, next, ARROW.length, canvas)),
  ];
}

const ARROW = `${" ".repeat(MARK_WIDTH)} → `;

/** A text with `lead` in front. Its further lines are indented. */
function hanging(lead: string, text: string, indent: number, { columns }: Canvas): readonly string[] {
  const [first = "", ...rest] = wrapped(line(text), indent, columns);
  return [lead + first, ...rest.map((one) => " ".repeat(indent) + one)];
}

/** The number of findings without a problem that are shown for each code. */
const SHOWN = 5;

/**
 * The findings of a topic for people. Equal findings are shown once. Only some findings without a problem are shown,
 * and the rest is counted.
 *
 * @param said next steps that were already shown. This topic adds its own
 */
export function topicLines(
  findings: readonly Finding[],
  canvas: Canvas,
  said: Set<string> = new Set(),
): readonly string[] {
  const well = new Map<Code, number>();
  const groups = new Map<string, Told>();
  for (const finding of findings) {
    const one = told(finding);
    const { code, level } = finding;
    if (level === "ok") {
      const count = (well.get(code) ?? 0) + 1;
      well.set(code, count);
      if (count <= SHOWN) groups.set(`${groups.size}`, one);
      continue;
    }
    const key = JSON.stringify([code, level, one.seen, one.next]);
    groups.set(key, { ...one, about: [...(groups.get(key)?.about ?? []), ...one.about] });
  }
  const more = [...well].filter(([, count]) => count > SHOWN);
  return [
    ...[...groups.values()].flatMap((one) => {
      const isSaid = one.next !== null && said.has(one.next);
      if (one.next !== null) said.add(one.next);
      return toldLines(isSaid ? { ...one, next: null } : one, canvas);
    }),
    ...more.map(([code, count]) => {
      const rest = count - SHOWN;
      return `${marked("ok", canvas.inColour)} ${code}: ${rest} more ${rest === 1 ? "is" : "are"} well`;
    }),
  ];
}

/** The topics that are not finished. It fits in one line, because a terminal can clear only one line. */
export function progressLine(pending: readonly string[], columns: number): string {
  return cutTo(`… ${pending.join(", ")}`, columns - 1);
}

/** The number of findings of each level, and the finding to begin with. */
export function summaryLines(
  findings: readonly Finding[],
  first: Finding | null,
  canvas: Canvas,
): readonly string[] {
  const of = (level: Level) => findings.filter((finding) => finding.level === level);
  const counts = `${amount(of("problem").length, "problem")}, ${amount(of("warning").length, "warning")}, ${of("ok").length} ok`;
  const skipped = of("skipped").length === 0 ? "" : `, ${of("skipped").length} not looked at`;
  const said = ["", ...wrapped(counts + skipped, 0, canvas.columns)];
  if (first === null) return said;
  const { seen, next } = findingWords(first);
  const subject = first.about === null ? "" : `${first.about}: `;
  return [...said, ...saidLines("", `first: ${first.code}: ${subject}${seen}`, next, canvas)];
}

function marked(level: Level, inColour: boolean): string {
  const mark = MARK[level].padEnd(MARK_WIDTH);
  return inColour ? `\x1b[${COLOUR[level]}m${mark}\x1b[0m` : mark;
}
