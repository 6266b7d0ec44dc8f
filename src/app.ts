import type { CommandName } from "./cli/commands.ts";
import type { Config } from "./cli/options.ts";
import { parse } from "./cli/parse.ts";
import type { UsageProblem } from "./cli/usage.ts";
import { gather } from "./health/check.ts";
import { planCheck } from "./health/plan.ts";
import { exitCode, isForgiven } from "./health/exit-code.ts";
import { conclude } from "./health/judge.ts";
import type { Host } from "./host.ts";
import { page } from "./render/speech.ts";
import { checkText } from "./render/text.ts";

/** What the process is to say and how it is to end. */
export interface Ending {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: 0 | 1;
}

type Command = (config: Config, unknownVariables: readonly string[], host: Host) => Promise<Ending>;

const RUN: { readonly [C in CommandName]: Command } = { check };

/**
 * The story of a run: parse → plan → connect → ask → judge → render.
 *
 * What only some runs need is imported where it is needed (`import()`): a healthy check loads none of it, which
 * test/system/start-up.test.ts holds.
 */
export async function run(host: Host): Promise<Ending> {
  const invocation = parse(host.argv, host.env);
  if (!invocation.ok) return misused(invocation.problem);
  switch (invocation.value.kind) {
    case "help": {
      const { helpText } = await import("./cli/help.ts");
      return { stdout: helpText(host.version), stderr: "", exitCode: 0 };
    }
    case "version":
      return { stdout: versionText(host, invocation.value.verbose), stderr: "", exitCode: 0 };
    case "run":
      return RUN[invocation.value.command](invocation.value.config, invocation.value.unknownVariables, host);
    default:
      return invocation.value satisfies never;
  }
}

async function check(config: Config, unknownVariables: readonly string[], host: Host): Promise<Ending> {
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
      ? (await import("./render/json.ts")).checkJson(report)
      : page(checkText(report, config.verbose.value));
  return {
    stdout: config.quiet.value ? "" : text,
    stderr: "",
    exitCode: exitCode(verdict, evidence, onUnknown),
  };
}

function versionText({ version, runtime }: Host, verbose: boolean): string {
  return `celery-probe ${version}\n${verbose ? `${runtime}\n` : ""}`;
}

function misused({ sentence }: UsageProblem): Ending {
  return { stdout: "", stderr: page([`celery-probe: ${sentence}`]), exitCode: 1 };
}
