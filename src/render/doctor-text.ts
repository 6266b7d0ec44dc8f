import type { Code, Finding, Level } from "../doctor/finding.ts";
import { findingWords } from "./findings/finding-words.ts";
import { line } from "./gate.ts";
import { amount, sentence } from "./speech.ts";

const MARK: { readonly [L in Level]: string } = {
  ok: "ok",
  skipped: "-",
  warning: "warning",
  problem: "PROBLEM",
};

/** SGR codes of ECMA-48: green, grey, yellow, red. */
const COLOUR: { readonly [L in Level]: number } = { ok: 32, skipped: 90, warning: 33, problem: 31 };

const MARK_WIDTH = 8;

/** A finding for people: what was seen, and below it the next step. */
export function findingLines(finding: Finding, inColour: boolean): readonly string[] {
  const { seen, next } = findingWords(finding);
  const { code, level, about } = finding;
  const subject = about === null ? code : `${code} ${about}`;
  const first = `${marked(level, inColour)} ${line(sentence(`${subject}: ${seen}`))}`;
  return next === null ? [first] : [first, `${" ".repeat(MARK_WIDTH)} → ${line(next)}`];
}

/** So many nodes or queues of which nothing is to be said are shown, of each code. */
const SHOWN = 5;

/** The findings of a topic for people; where many are well, the rest of them is counted. */
export function topicLines(findings: readonly Finding[], inColour: boolean): readonly string[] {
  const well = new Map<Code, number>();
  const lines: string[] = [];
  for (const finding of findings) {
    const count = (well.get(finding.code) ?? 0) + 1;
    if (finding.level === "ok") well.set(finding.code, count);
    if (finding.level !== "ok" || count <= SHOWN) lines.push(...findingLines(finding, inColour));
  }
  for (const [code, count] of well) {
    const more = count - SHOWN;
    if (more > 0)
      lines.push(`${marked("ok", inColour)} ${code}: ${more} more ${more === 1 ? "is" : "are"} well`);
  }
  return lines;
}

/** What is still looked at, for as long as it is. */
export function progressLine(pending: readonly string[]): string {
  return `… ${pending.join(", ")}`;
}

/** How many of which level, and the one thing to do first. */
export function summaryLines(findings: readonly Finding[]): readonly string[] {
  const of = (level: Level) => findings.filter((finding) => finding.level === level);
  const first = [...of("problem"), ...of("warning")][0];
  const counts = `${amount(of("problem").length, "problem")}, ${amount(of("warning").length, "warning")}, ${of("ok").length} ok`;
  const skipped = of("skipped").length === 0 ? "" : `, ${of("skipped").length} not looked at`;
  if (first === undefined) return ["", counts + skipped];
  const { seen, next } = findingWords(first);
  return ["", counts + skipped, line(`first: ${first.code}: ${next ?? seen}`)];
}

function marked(level: Level, inColour: boolean): string {
  const mark = MARK[level].padEnd(MARK_WIDTH);
  return inColour ? `\x1b[${COLOUR[level]}m${mark}\x1b[0m` : mark;
}
