import type { CommandConfig } from "../cli/command-options.ts";
import { startDeadline } from "../deadline.ts";
import { examine } from "../doctor/examine.ts";
import type { Finding } from "../doctor/finding.ts";
import { setScene } from "../doctor/scene.ts";
import { gather } from "../health/check.ts";
import { conclude } from "../health/judge.ts";
import { type Plan, planCheck } from "../health/plan.ts";
import type { CheckReport } from "../health/report.ts";
import type { Host } from "../host.ts";
import { doctorJson } from "../render/doctor-json.ts";
import { findingLines, summaryLines } from "../render/doctor-text.ts";
import { openSession } from "../session/session.ts";
import { misused, type Run } from "./command.ts";

/** The health check may take so much of the run's time at most. */
const CHECK_SHARE = 0.4;

/** The run-book: every finding, then the one thing to do first. */
export const doctor: Run<CommandConfig<"doctor">> = async ({ config, unknownVariables }, host) => {
  const plan = planDoctor(config, host);
  if (!plan.ok) return misused(plan.problem);
  const deadline = startDeadline(config.deadline.value, host.now);
  const isJson = config.output.value === "json";
  const inColour = (await host.isTerminal()) && !host.env["NO_COLOR"];
  const check = await checked(plan.value, host, unknownVariables);
  const session = await openSession(plan.value, host, deadline);
  const findings = await examine(setScene(check, session, host), (found) => {
    if (!isJson) host.print(pageOf(found.flatMap((one) => findingLines(one, inColour))));
  });
  if (session.ok) session.value.close();
  return {
    stdout: isJson ? doctorJson(findings, host.now()) : pageOf(summaryLines(findings)),
    stderr: "",
    exitCode: fails(findings, config["fail-on"].value) ? 1 : 0,
  };
};

/** Where no worker is in sight and none is named, every worker of the broker is meant. */
function planDoctor(config: CommandConfig<"doctor">, host: Host): ReturnType<typeof planCheck> {
  const plan = planCheck(config, host);
  if (!plan.ok || config.node.value.length > 0 || config.placement.value === "inside") return plan;
  const isSeen = plan.value.targets.some(({ worker }) => worker !== null);
  return isSeen ? plan : planCheck({ ...config, any: { value: true, origin: { kind: "default" } } }, host);
}

async function checked(plan: Plan, host: Host, unknownVariables: readonly string[]): Promise<CheckReport> {
  const evidence = await gather({ ...plan, deadline: plan.deadline * CHECK_SHARE }, host);
  const verdict = conclude(evidence, plan.rules);
  return { plan, evidence, verdict, isForgiven: false, elapsedMs: host.now(), unknownVariables };
}

function fails(findings: readonly Finding[], from: "warning" | "problem"): boolean {
  return findings.some(({ level }) => level === "problem" || (level === "warning" && from === "warning"));
}

function pageOf(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join("");
}
