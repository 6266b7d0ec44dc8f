import type { CommandConfig } from "../cli/command-options.ts";
import type { BrokerFailure } from "../broker/failure.ts";
import type { UnreadUrl, UsageProblem } from "../cli/usage.ts";
import { NO_BROKER } from "../cli/values.ts";
import type { Deadline } from "../deadline.ts";
import { gather } from "../health/check.ts";
import { conclude } from "../health/judge.ts";
import { type CheckPlan, type CheckWishes, planCheck } from "../health/plan.ts";
import type { CheckReport } from "../health/report.ts";
import type { Host } from "../host.ts";
import { type Outcome, success } from "../outcome.ts";
import { examine, type OnFound } from "./examine.ts";
import type { Finding } from "./finding.ts";
import type { Scene } from "./scene.ts";
import { setScene } from "./set-scene.ts";

/** The health check may take so much of the run's time at most. */
const CHECK_SHARE = 0.3;

/** What came of it; `end` closes what is open. */
export interface Diagnosis {
  readonly scene: Scene;
  readonly findings: readonly Finding[];
  readonly end: () => void;
}

/** The health check, then every finding. */
export async function diagnose(
  config: CommandConfig<"doctor"> | CommandConfig<"report">,
  host: Host,
  deadline: Deadline,
  unknownVariables: readonly string[],
  onFound: OnFound = () => undefined,
): Promise<Outcome<Diagnosis, UsageProblem>> {
  const plans = await planned(config, host);
  if (!plans.ok && plans.problem.url !== undefined) {
    return withoutBroker(plans.problem.url, config, host, deadline, unknownVariables, onFound);
  }
  if (!plans.ok) return plans;
  const [plan, instead] = plans.value;
  const first = await checked(plan, host, unknownVariables);
  // Nobody answers anywhere: then what is missing here is the matter.
  const isNobody = instead !== null && first.verdict.reason === "undecided";
  const check = isNobody ? await checked(instead, host, unknownVariables) : first;
  const { scene, end } = await setScene(config, check, host, deadline);
  const findings = await examine(scene, onFound);
  return success({ scene, findings, end });
}

/** The broker's URL cannot be read: everything that is seen without a broker, and nobody connects to one. */
async function withoutBroker(
  { text, origin, problem }: UnreadUrl,
  config: CommandConfig<"doctor"> | CommandConfig<"report">,
  host: Host,
  deadline: Deadline,
  unknownVariables: readonly string[],
  onFound: OnFound,
): Promise<Outcome<Diagnosis, UsageProblem>> {
  const unread: BrokerFailure = { kind: "unreachable", cause: "unreadable-url", detail: problem };
  const unset = { value: null, origin: { kind: "default" } } as const;
  const without = {
    ...config,
    broker: { value: { text, broker: NO_BROKER }, origin },
    "broker-env": unset,
    "broker-write-url": unset,
  };
  const plan = await planCheck(wishesOf(config), without, host);
  if (!plan.ok) return plan;
  const check = await checked({ ...plan.value, failure: unread }, host, unknownVariables);
  const { scene, end } = await setScene(config, check, host, deadline);
  const findings = await examine(scene, onFound);
  return success({ scene, findings, end });
}

/** Where no worker is in sight and none is named, every worker of the broker is meant; the second: the one that belongs here. */
async function planned(
  config: CommandConfig<"doctor"> | CommandConfig<"report">,
  host: Host,
): Promise<Outcome<readonly [CheckPlan, CheckPlan | null], UsageProblem>> {
  const wishes = wishesOf(config);
  const plan = await planCheck(wishes, config, host);
  if (!plan.ok) return plan;
  // One that only its connections show is not known by its command line.
  const isFound = plan.value.broker.origin.kind === "connection";
  const isMeant = config.node.value.length > 0 || config.placement.value === "inside" || isFound;
  if (isMeant || plan.value.targets.some(({ worker }) => worker !== null)) return success([plan.value, null]);
  const any = await planCheck({ ...wishes, whom: { kind: "everyone" } }, config, host);
  if (!any.ok) return any;
  return success([any.value, plan.value.place.kind === "in-sight" ? plan.value : null]);
}

/** Queues and tasks have findings of their own. */
function wishesOf(config: CommandConfig<"doctor"> | CommandConfig<"report">): CheckWishes {
  return {
    whom: {
      kind: "workers",
      nodes: config.node.value,
      placement: config.placement.value,
      pidfile: config.pidfile,
    },
    atLeast: 1,
    pings: 1 + config.retries.value,
    timeout: config.timeout.value,
    deadline: config.deadline.value * CHECK_SHARE,
    busyGrace: config["busy-grace"].value,
    rules: {
      startGraceMs: 0,
      strict: false,
      work: {
        queues: config.queue.value,
        requireConsuming: false,
        maxTaskAge: null,
        maxQueueLength: [],
      },
    },
    stateFile: null,
  };
}

async function checked(
  plan: CheckPlan,
  host: Host,
  unknownVariables: readonly string[],
): Promise<CheckReport> {
  const evidence = await gather(plan, host);
  const verdict = conclude(evidence, plan.rules);
  return { plan, evidence, verdict, isForgiven: false, elapsedMs: host.now(), unknownVariables };
}
