import type { Finding, Level } from "../doctor/finding.ts";
import { findingWords } from "./findings/finding-words.ts";
import { amount, line } from "./speech.ts";

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
  const mark = MARK[level].padEnd(MARK_WIDTH);
  const shown = inColour ? `\x1b[${COLOUR[level]}m${mark}\x1b[0m` : mark;
  const subject = about === null ? code : `${code} ${about}`;
  const first = `${shown} ${line(`${subject}: ${seen}`)}`;
  return next === null ? [first] : [first, `${" ".repeat(MARK_WIDTH)} → ${line(next)}`];
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
