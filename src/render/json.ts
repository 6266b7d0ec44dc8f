import { label } from "../cli/usage.ts";
import type { CheckReport } from "../health/report.ts";
import { statement } from "./statement.ts";

/** So many nodes and pongs are listed: the object stays below what Docker keeps of a probe's output. */
const LISTED = 20;

/** The version of the object's form. Fields may be added to a version; none is changed or removed. */
const SCHEMA = 1;

/** The report for programs: one object on one line (docs/output.md). Durations in milliseconds. */
export function checkJson(report: CheckReport): string {
  const { plan, evidence, verdict, elapsedMs } = report;
  const { fact, hint } = statement(report);
  const asked = plan.asked.kind === "nodes" ? plan.asked.nodes : null;
  const object = {
    schema: SCHEMA,
    status: verdict.status,
    reason: verdict.reason,
    node: asked?.length === 1 ? asked[0] : null,
    message: fact,
    hint,
    evidence: {
      broker: { url: plan.broker.shown, from: label(plan.broker.origin) },
      asked: {
        nodes: asked?.slice(0, LISTED) ?? null,
        at_least: plan.asked.kind === "any" ? plan.asked.atLeast : (asked?.length ?? 0),
      },
      channel: plan.channel,
      reply_key: plan.replies.key,
      elapsed_ms: Math.round(elapsedMs),
      ...(verdict.reason === "undecided" ? { gap: verdict.gap.kind } : {}),
      ...evidenceFields(evidence),
    },
  };
  return `${JSON.stringify(object)}\n`;
}

function evidenceFields(evidence: CheckReport["evidence"]): object {
  switch (evidence.kind) {
    case "asked":
      return {
        pings: evidence.pings,
        subscribers: evidence.subscribers,
        waited_ms: Math.round(evidence.waitedMs),
        answered: evidence.pongs.length,
        pongs: evidence.pongs.slice(0, LISTED).map(({ node, afterMs, copies }) => ({
          node,
          after_ms: Math.round(afterMs),
          copies,
        })),
      };
    case "broker-failed": {
      const { kind, ...failure } = evidence.failure;
      return { pings: evidence.pings, broker_failure: { kind, ...failure } };
    }
    case "no-time":
      return { pings: 0 };
    case "interrupted":
      return { signal: evidence.signal };
    default:
      return evidence satisfies never;
  }
}
