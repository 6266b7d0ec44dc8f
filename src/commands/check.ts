import type { Config } from "../cli/options.ts";
import { gather } from "../health/check.ts";
import type { Evidence } from "../health/evidence.ts";
import { exitCode, isForgiven } from "../health/exit-code.ts";
import { conclude } from "../health/judge.ts";
import { type CheckPlan, checkWishes, planCheck } from "../health/plan.ts";
import type { Verdict } from "../health/verdict.ts";
import type { Host } from "../host.ts";
import { NOTHING, page } from "../render/gate.ts";
import { checkText } from "../render/text.ts";
import { type Ending, misused, type Run, type Told } from "./command.ts";

export const check: Run<Config> = async (told, host) => {
  const wishes = checkWishes(told.config, host);
  const plan = wishes.ok ? await planCheck(wishes.value, told.config, host) : wishes;
  if (!plan.ok) return misused(plan.problem);
  const evidence = await gather(plan.value, host);
  return verdictEnding(told, host, plan.value, evidence, conclude(evidence, plan.value.rules));
};

/** Makes the output for a verdict, and its exit code. */
export async function verdictEnding(
  { config, unknownVariables }: Told<Config>,
  host: Host,
  plan: CheckPlan,
  evidence: Evidence,
  verdict: Verdict,
): Promise<Ending> {
  const onUnknown = config["on-unknown"].value;
  const report = {
    plan,
    evidence,
    verdict,
    isForgiven: isForgiven(verdict, evidence, onUnknown),
    elapsedMs: host.now(),
    unknownVariables,
  };
  const text =
    config.output.value === "json"
      ? (await import("../render/json.ts")).checkJson(report)
      : page(checkText(report, config.verbose.value));
  return {
    stdout: config.quiet.value ? NOTHING : text,
    stderr: NOTHING,
    exitCode: exitCode(verdict, evidence, onUnknown),
    isVerdict: true,
  };
}
