import { beats, gossips, graceOf, poolOf, slotsOf } from "../celery/worker-settings.ts";
import type { Placement } from "../discovery/place.ts";
import type { Host } from "../host.ts";
import { leftBeatIn } from "../worker/embedded-beat.ts";
import type { Instead, Survey } from "../worker/survey.ts";
import type { ProcessSight } from "./evidence.ts";
import type { CheckPlan } from "./plan.ts";
import type { Patient, Search } from "./search.ts";

/** What is known about the process of a node. */
export function processOf(
  plan: CheckPlan,
  host: Host,
  search: Search,
  { worker, looks }: Patient,
): ProcessSight {
  if (plan.place.kind === "out-of-sight") return { kind: "out-of-sight", because: plan.place.name };
  if (worker === null) return nobodyIn(plan.place, host, search);
  const { pid, startTicks, foundBy, words } = worker;
  return {
    kind: "seen",
    pid,
    startTicks,
    foundBy,
    words,
    pool: poolOf(worker, host.env),
    gossips: gossips(worker, host.env),
    beats: beats(worker, host.env),
    slots: slotsOf(worker, looks.at(-1)?.process?.children ?? 0, host.env),
    graceMs: graceOf(plan.busyGrace, worker, host.env),
  };
}

/** No process is known to be the node. */
function nobodyIn(
  place: Exclude<Placement, { kind: "out-of-sight" }>,
  host: Host,
  search: Search,
): ProcessSight {
  const { survey } = place;
  const suspect = search.suspect();
  if (place.kind === "unexpected" && suspect?.shows !== "worker")
    return { kind: "out-of-sight", because: place.name };
  if (!survey.visible) return { kind: "out-of-sight", because: "no-proc" };
  return {
    kind: "none",
    zombie: survey.zombies[0] ?? null,
    others: search.others(),
    namesInUse: search.patients().some((other) => other.worker !== null),
    suspect,
    instead: insteadOf(host, survey),
  };
}

/**
 * A pid file has already shown what is here. The beat of an ended worker may have the same title as a separate beat.
 */
function insteadOf({ proc }: Host, { instead: seen }: Survey): Instead | null {
  const left = seen === null || seen.what === "beat" ? leftBeatIn(proc) : null;
  return left !== null && (seen === null || seen.pid === left) ? { pid: left, what: "left-beat" } : seen;
}
