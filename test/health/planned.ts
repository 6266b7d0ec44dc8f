import type { BrokerTarget } from "../../src/broker/url.ts";
import { parse, TAKEN_BY_CHECK } from "../../src/cli/parse.ts";
import type { UsageProblem } from "../../src/cli/usage.ts";
import { type CheckPlan, checkWishes, planByName } from "../../src/health/plan.ts";
import type { Host } from "../../src/host.ts";
import type { Outcome } from "../../src/outcome.ts";
import type { Config } from "../../src/cli/options.ts";

/** The configuration of a host's command line and environment, which are right. */
export function configured({ argv, env }: Pick<Host, "argv" | "env">): Config {
  const parsed = parse(argv, env, TAKEN_BY_CHECK);
  if (!parsed.ok || parsed.value.kind !== "run") throw new Error(JSON.stringify(parsed));
  return parsed.value.config;
}

export function planning(host: Host): Outcome<CheckPlan, UsageProblem> {
  const config = configured(host);
  const wishes = checkWishes(config, host);
  return wishes.ok ? planByName(wishes.value, config, host) : wishes;
}

/** The plan of a host on which nothing stands in its way. */
export function planned(host: Host): CheckPlan {
  const plan = planning(host);
  if (!plan.ok) throw new Error(plan.problem.sentence);
  return plan.value;
}

/** The first server of a plan that names servers. */
export function serverOf({ broker: { located } }: CheckPlan): BrokerTarget {
  if (located.kind === "sentinel") throw new Error("Sentinels name their server");
  return located.servers[0];
}
