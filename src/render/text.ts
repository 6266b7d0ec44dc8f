import { label } from "../cli/usage.ts";
import type { CheckReport } from "../health/report.ts";
import { time } from "./speech.ts";
import { statement } from "./statement.ts";

/** The report for people: one line, verdict first; with `verbose` what was seen below it. */
export function checkText(report: CheckReport, verbose: boolean): readonly string[] {
  const { status, reason } = report.verdict;
  const { fact, hint } = statement(report);
  const line = `${status}: ${reason}: ${fact}${hint === null ? "" : `; hint: ${hint}`}`;
  return verbose ? [line, ...evidenceLines(report)] : [line];
}

function evidenceLines({ plan, evidence, elapsedMs, unknownVariables }: CheckReport): readonly string[] {
  const rows: (readonly [string, string])[] = [
    ["broker", `${plan.broker.shown} (from ${label(plan.broker.origin)})`],
    [
      "asked",
      plan.asked.kind === "nodes" ? plan.asked.nodes.join(", ") : `any ${plan.asked.atLeast} of all nodes`,
    ],
    ["channel", plan.channel],
    ["reply key", plan.replies.key],
  ];
  switch (evidence.kind) {
    case "asked":
      rows.push(
        ["pings sent", String(evidence.pings)],
        ["subscribed", String(evidence.subscribers)],
        ...evidence.pongs.map(({ node, afterMs }) => ["pong", `${node} after ${time(afterMs)}`] as const),
      );
      break;
    case "broker-failed":
      rows.push(
        ["pings sent", String(evidence.pings)],
        ["failure", `${evidence.failure.cause}: ${evidence.failure.detail}`],
      );
      break;
    case "no-time":
    case "interrupted":
      break;
    default:
      evidence satisfies never;
  }
  rows.push(["time", `${time(elapsedMs)} of ${time(plan.deadline)}`]);
  rows.push(...unknownVariables.map((name) => ["ignored", `${name} is no option of this program`] as const));
  return rows.map(([name, value]) => `  ${`${name}:`.padEnd(12)} ${value}`);
}
