import type { Config } from "../cli/options.ts";
import { gather } from "../health/check.ts";
import { exitCode, isForgiven } from "../health/exit-code.ts";
import { conclude } from "../health/judge.ts";
import { planCheck } from "../health/plan.ts";
import { page } from "../render/speech.ts";
import { checkText } from "../render/text.ts";
import { misused, type Run } from "./command.ts";

/** The health check: one verdict. */
export const check: Run<Config> = async ({ config, unknownVariables }, host) => {
  const plan = planCheck(config, host);
  if (!plan.ok) return misused(plan.problem);
  const evidence = await gather(plan.value, host);
  const verdict = conclude(evidence, plan.value.rules);
  const onUnknown = config["on-unknown"].value;
  const report = {
    plan: plan.value,
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
    stdout: config.quiet.value ? "" : text,
    stderr: "",
    exitCode: exitCode(verdict, evidence, onUnknown),
    isVerdict: true,
  };
};
