import type { Finding } from "../doctor/finding.ts";
import { json, type Printable } from "./gate.ts";
import { findingWords } from "./findings/finding-words.ts";

/** The findings as JSON: schema 1, to which fields are only added (docs/doctor.md). */
export function doctorJson(findings: readonly Finding[], elapsedMs: number): Printable {
  return json({ schema: 1, findings: findings.map(findingRow), elapsed_ms: Math.round(elapsedMs) });
}

/** A finding as an object. `message` and `hint` have the same names as in the check's JSON. */
export function findingRow(finding: Finding): object {
  const { code, level, about } = finding;
  const { seen, next } = findingWords(finding);
  return { code, level, about, message: seen, hint: next };
}
