import type { Code, Finding } from "./finding.ts";
import { EFFECTS } from "../celery/line-kinds.ts";

/** Findings about work that is not done. They come before settings that are only risky. */
const UNDONE: ReadonlySet<Code> = new Set<Code>([
  "broker-name",
  "queues-consumed",
  "standstill",
  "queue-binding",
  "elsewhere",
  "priority-lists",
  "unregistered-task",
  "repeated-tasks",
  "prefetch",
  "late-tasks",
  "queue-length",
  "throughput",
]);

/** The finding to begin with: a cause comes before its effects, then the worst in topic order. Null: all is well. */
export function firstOf(findings: readonly Finding[]): Finding | null {
  const hasIllWorker = findings.some(({ code, level }) => code === "worker" && level === "problem");
  const [first] = findings
    .filter(({ level }) => level === "problem" || level === "warning")
    .map((finding) => ({ finding, rank: rankOf(finding, hasIllWorker) }))
    .sort((a, b) => a.rank - b.rank);
  return first?.finding ?? null;
}

function rankOf(finding: Finding, hasIllWorker: boolean): number {
  const { code, level } = finding;
  if (hasIllWorker && explains(finding)) return isVague(finding) ? 1 : 0;
  if (level === "problem" && (code === "broker" || code === "worker" || code === "stuck")) return 2;
  // An evicting broker loses tasks and bindings. Other findings see only the effects.
  if (level === "problem") return UNDONE.has(code) || code === "broker-memory" ? 3 : 4;
  return UNDONE.has(code) ? 5 : 6;
}

/** Whether the finding says why a worker does not work: its log, what its processes wait for, or a key that ends it. */
function explains(finding: Finding): boolean {
  if (finding.code === "pool-package" || finding.code === "stuck") return true;
  if (finding.code === "queue-length") return finding.facts.kind === "no-list";
  if (finding.code !== "log" || finding.facts.kind !== "known") return false;
  const { kind, hasEnded } = finding.facts.its;
  return hasEnded || EFFECTS[kind] === "blocks";
}

/** Whether it says no more than that an error ended the worker. A finding that names the error comes before it. */
function isVague({ code, facts }: Finding): boolean {
  const kind = code === "log" && facts.kind === "known" ? facts.its.kind : null;
  return kind === "unrecoverable" || kind === "crashed";
}
