import type { BrokerConfig } from "../cli/options.ts";
import { gather } from "../health/check.ts";
import { conclude } from "../health/judge.ts";
import { type CheckPlan, type CheckWishes, planCheck } from "../health/plan.ts";
import type { CheckReport } from "../health/report.ts";
import type { Host } from "../host.ts";
import type { SeenVerdict } from "./fleet-state.ts";

/** The health check of one node in sight. Null: our own records tell as much, or the check could not be planned. */
export type LocalCheck = (node: string) => Promise<SeenVerdict | null>;

/** The time limit of one check that runs beside others, in milliseconds. */
const DEADLINE_MS = 5_000;

/** How long it waits for the answer to its ping, in milliseconds. */
const TIMEOUT_MS = 2_000;

/**
 * The health check of `celery-probe --node NODE --require-consuming`, for a worker that has fallen silent.
 *
 * @param graceMs how long a worker may be silent; null: derived from its time limits
 * @param inWords writes the check's sentences
 */
export function localCheck(
  config: BrokerConfig,
  host: Host,
  graceMs: number | null,
  inWords: (report: CheckReport) => { readonly fact: string; readonly hint: string | null },
): LocalCheck {
  return async (node) => {
    const startMs = host.now();
    // The deadline of a run counts from the start of its process, so each check gets a clock of its own.
    const run: Host = { ...host, now: () => host.now() - startMs };
    const planned = await planCheck(wishesFor(node, graceMs), config, run);
    if (!planned.ok) return null;
    const plan = planned.value;
    const evidence = await gather(plan, run);
    const verdict = conclude(evidence, plan.rules);
    // Its connections do not show when its silence began, but we have listened to it.
    if (verdict.reason === "busy" && verdict.measured === "not") return null;
    const report = {
      plan: verdict.reason === "not-consuming" ? plan : withoutWork(plan),
      evidence,
      verdict,
      isForgiven: false,
      elapsedMs: run.now(),
      unknownVariables: [],
    };
    return { status: verdict.status, reason: verdict.reason, seen: inWords(report) };
  };
}

/** A silent worker cannot say what it consumes. So its sentence must not recommend options of the check for that. */
function withoutWork(plan: CheckPlan): CheckPlan {
  return { ...plan, rules: { ...plan.rules, work: { ...plan.rules.work, requireConsuming: false } } };
}

function wishesFor(name: string, graceMs: number | null): CheckWishes {
  // A name that we heard. The user did not type it.
  const node = { value: [name], origin: { kind: "default" } } as const;
  return {
    // It was seen here. If its process is missing now, it has ended.
    whom: { kind: "workers", node, placement: "inside", pidfile: null },
    atLeast: 1,
    pings: 1,
    timeout: TIMEOUT_MS,
    deadline: DEADLINE_MS,
    busyGrace: graceMs,
    rules: {
      startGraceMs: 0,
      strict: false,
      work: { queues: [], requireConsuming: true, maxTaskAge: null, maxQueueLength: [] },
    },
    stateFile: null,
    acceptShared: null,
  };
}
