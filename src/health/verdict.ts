import type { Refused, Unreachable } from "../broker/failure.ts";
import type { Evidence, Pong } from "./evidence.ts";
import type { Asked } from "./plan.ts";

/** What is said about the worker. The words of `status` and `reason` are the contract with users. */
export type Verdict =
  | { readonly status: "healthy"; readonly reason: "alive"; readonly pongs: readonly Pong[] }
  | { readonly status: "unknown"; readonly reason: "broker-unreachable"; readonly failure: Unreachable }
  | { readonly status: "unknown"; readonly reason: "broker-refused"; readonly failure: Refused }
  | { readonly status: "unknown"; readonly reason: "undecided"; readonly gap: Gap };

export type Reason = Verdict["reason"];

/** What stands in the way of a decision. */
export type Gap =
  /** Asked and waited for, and not everybody answered. */
  | {
      readonly kind: "silent";
      readonly missing: readonly string[];
      readonly pongs: readonly Pong[];
      readonly wanted: number;
      readonly pings: number;
      readonly subscribers: number;
      readonly waitedMs: number;
      readonly cutShort: boolean;
    }
  /** No connection was subscribed to the control channel, so nobody was waited for. */
  | { readonly kind: "nobody-subscribed"; readonly missing: readonly string[] }
  | { readonly kind: "no-time" }
  | { readonly kind: "interrupted"; readonly signal: string };

/** Judges the evidence; pure. */
export function judge(evidence: Evidence, asked: Asked): Verdict {
  switch (evidence.kind) {
    case "broker-failed":
      return evidence.failure.kind === "unreachable"
        ? { status: "unknown", reason: "broker-unreachable", failure: evidence.failure }
        : { status: "unknown", reason: "broker-refused", failure: evidence.failure };
    case "asked":
      return judgePongs(evidence, asked);
    case "no-time":
    case "interrupted":
      return { status: "unknown", reason: "undecided", gap: evidence };
    default:
      return evidence satisfies never;
  }
}

function judgePongs(evidence: Extract<Evidence, { kind: "asked" }>, asked: Asked): Verdict {
  const { kind: _, ...seen } = evidence;
  const names = seen.pongs.map(({ node }) => node);
  const missing = asked.kind === "nodes" ? asked.nodes.filter((node) => !names.includes(node)) : [];
  const wanted = asked.kind === "nodes" ? asked.nodes.length : asked.atLeast;
  if (missing.length === 0 && names.length >= wanted) {
    return { status: "healthy", reason: "alive", pongs: seen.pongs };
  }
  const gap: Gap =
    seen.subscribers === 0
      ? { kind: "nobody-subscribed", missing }
      : { kind: "silent", missing, wanted, ...seen };
  return { status: "unknown", reason: "undecided", gap };
}

/** The only two exit codes there are: Docker reserves 2. */
export function exitCode(verdict: Verdict): 0 | 1 {
  return verdict.status === "healthy" ? 0 : 1;
}
