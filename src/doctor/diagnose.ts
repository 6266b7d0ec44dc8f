import { findBeats } from "../beat/find-beats.ts";
import type { CommandConfig } from "../cli/command-options.ts";
import type { BrokerFailure } from "../broker/failure.ts";
import type { UsageProblem } from "../cli/usage.ts";
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

/** The health check's share of the time limit: enough to judge a worker that does not answer. */
const CHECK_SHARE = 0.5;

/** `end` closes the connections. */
export interface Diagnosis {
  readonly scene: Scene;
  readonly findings: readonly Finding[];
  readonly end: () => void;
}

type FindingConfig = CommandConfig<"doctor"> | CommandConfig<"report">;

/** Runs the health check, then makes all findings. */
export async function diagnose(
  config: FindingConfig,
  host: Host,
  deadline: Deadline,
  unknownVariables: readonly string[],
  onFound: OnFound = () => undefined,
): Promise<Outcome<Diagnosis, UsageProblem>> {
  const { node, placement, pidfile } = config;
  const isOpen = node.value.length === 0 && pidfile.value === null;
  const everyone = { kind: "everyone" } as const;
  const own = { kind: "workers", node, placement: placement.value, pidfile } as const;
  // A remote run is not about the workers in this container.
  const plan = await planned(isOpen && placement.value === "remote" ? everyone : own, config, host);
  if (!plan.ok) return plan;
  let check = await checked(plan.value, host, unknownVariables);
  if (isOpen && placement.value === "auto" && check.verdict.reason === "dead" && isBeats(host)) {
    const all = await planned(everyone, config, host);
    if (!all.ok) return all;
    check = await checked(all.value, host, unknownVariables);
  }
  const { scene, end } = await setScene(config, check, host, deadline);
  const findings = await examine(scene, onFound);
  return success({ scene, findings, end });
}

/** Whether a beat runs here without a worker: a beat in a container of its own. */
function isBeats({ proc }: Host): boolean {
  return (findBeats(proc, null).beats ?? []).some(({ isEmbedded }) => !isEmbedded);
}

/** Plans the check. If the broker's URL cannot be read, the check uses no broker and connects to none. */
async function planned(
  whom: CheckWishes["whom"],
  config: FindingConfig,
  host: Host,
): Promise<Outcome<CheckPlan, UsageProblem>> {
  const wishes = wishesOf(config, whom);
  const plan = await planCheck(wishes, config, host);
  const url = plan.ok ? undefined : plan.problem.url;
  if (url === undefined) return plan;
  const unread: BrokerFailure = { kind: "unreachable", cause: "unreadable-url", detail: url.problem };
  const unset = { value: null, origin: { kind: "default" } } as const;
  const without = {
    ...config,
    broker: { value: { text: url.text, broker: NO_BROKER }, origin: url.origin },
    "broker-env": unset,
    "broker-write-url": unset,
  };
  const other = await planCheck(wishes, without, host);
  return other.ok ? success({ ...other.value, failure: unread }) : other;
}

/**
 * The wishes of a usual health check, so that both commands give a worker the same verdict. Queues and tasks have their
 * own findings.
 */
function wishesOf(config: FindingConfig, whom: CheckWishes["whom"]): CheckWishes {
  return {
    whom,
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
    acceptShared: null,
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
