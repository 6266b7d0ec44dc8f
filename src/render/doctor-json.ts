import type { Finding } from "../doctor/finding.ts";
import { json, type Printable } from "./gate.ts";
import { findingWords } from "./findings/finding-words.ts";

/** The findings for programs: schema 1, to which fields are only added (docs/doctor.md). */
export function doctorJson(findings: readonly Finding[], elapsedMs: number): Printable {
  const rows = findings.map((finding) => {
    const { code, level, about } = finding;
    return { code, level, about, ...findingWords(finding) };
  });
  return json({ schema: 1, findings: rows, elapsed_ms: Math.round(elapsedMs) });
}
