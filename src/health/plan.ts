import { type Destination, replyKey, type Route, routesTo } from "../broker/keys.ts";
import type { BrokerConfig, Config } from "../cli/options.ts";
import type { UsageProblem } from "../cli/usage.ts";
import { discover, discoverByName, type Discovery, type Whom } from "../discovery/discover.ts";
import { startDeadline } from "../deadline.ts";
import type { Placement } from "../discovery/place.ts";
import { namesOf, type Target } from "../discovery/targets.ts";
import type { Host } from "../host.ts";
import { type Outcome, success } from "../outcome.ts";
import { firstDatabase, planSession, type SessionPlan } from "../session/plan.ts";
import type { Asked } from "./asked.ts";
import type { Rules } from "./judgement.ts";
import { readStateFile, type StateText } from "./state-file.ts";

/** What a check must find out, and how patient it is. Durations are in milliseconds. */
export interface CheckWishes {
  readonly whom: Whom;
  /** How many pongs are enough if all workers are asked. */
  readonly atLeast: number;
  readonly pings: number;
  readonly timeout: number;
  readonly deadline: number;
  /** null: not given. */
  readonly busyGrace: number | null;
  readonly rules: Omit<Rules, "asked" | "naming">;
  readonly stateFile: StateText | null;
  /** The greatest accepted age of a verdict that a `serve` has shared; null: shared verdicts are not read. */
  readonly acceptShared: number | null;
}

/** A session, and what to ask and judge in it. Durations are in milliseconds. */
export interface CheckPlan extends SessionPlan, Omit<CheckWishes, "whom" | "atLeast" | "rules"> {
  readonly asked: Asked;
  /** The asked nodes with their processes. Empty if all workers are asked. */
  readonly targets: readonly Target[];
  /** Whether the user named them. Otherwise they are all workers that are found here. */
  readonly isNamed: boolean;
  /** Workers in sight that are not asked. */
  readonly others: readonly string[];
  /** The pid file that names the worker, so that no other process is taken for it; null: not given. */
  readonly pidfile: string | null;
  /** Where the probe runs, and which workers are in sight there. */
  readonly place: Placement;
  readonly destination: Destination;
  /** The usual way to the workers of a database; see {@link routesTo} for all ways. */
  readonly route: Route;
  /** The routing key of the replies, which is the list's key without the prefix. */
  readonly replyTo: string;
  /** How many elements of a reply list survive the next ping. */
  readonly keep: number;
  readonly rules: Rules;
}

/** How many elements of the reply list survive the next ping, for one node and for a whole fleet. */
const KEEP_ONE = 32;
const KEEP_MANY = 4_096;

/** What the options of `check` ask for. */
export function checkWishes(config: Config, host: Host): Outcome<CheckWishes, UsageProblem> {
  const stateFile = readStateFile(config["state-file"], host);
  if (!stateFile.ok) return stateFile;
  const atLeast = config["min-nodes"].value;
  return success({
    whom:
      atLeast !== null || config.any.value
        ? { kind: "everyone" }
        : {
            kind: "workers",
            node: config.node,
            placement: config.placement.value,
            pidfile: config.pidfile,
          },
    atLeast: atLeast ?? 1,
    pings: 1 + config.retries.value,
    timeout: config.timeout.value,
    deadline: config.deadline.value,
    busyGrace: config["busy-grace"].value,
    rules: {
      startGraceMs: config["start-grace"].value ?? 0,
      strict: config.strict.value,
      work: {
        queues: config.queue.value,
        requireConsuming: config["require-consuming"].value,
        maxTaskAge: config["max-task-age"].value,
        maxQueueLength: config["max-queue-length"].value,
      },
    },
    stateFile: stateFile.value,
    acceptShared: config["accept-shared"].value,
  });
}

/** Finds out which nodes to ask and where. */
export async function planCheck(
  wishes: CheckWishes,
  config: BrokerConfig,
  host: Host,
): Promise<Outcome<CheckPlan, UsageProblem>> {
  const discovered = await discover(
    wishes.whom,
    config,
    host,
    startDeadline(wishes.deadline, host.now).left(),
  );
  return discovered.ok ? success(checkPlan(wishes, config, discovered.value)) : discovered;
}

/** Like `planCheck`, but asks no server for the broker: it uses the named one or the default. */
export function planByName(
  wishes: CheckWishes,
  config: BrokerConfig,
  host: Host,
): Outcome<CheckPlan, UsageProblem> {
  const discovered = discoverByName(wishes.whom, config, host);
  return discovered.ok ? success(checkPlan(wishes, config, discovered.value)) : discovered;
}

function checkPlan(
  { whom, atLeast, rules, ...patience }: CheckWishes,
  config: BrokerConfig,
  { targets, pids, named, place, brokers }: Discovery,
): CheckPlan {
  const session = planSession(config, brokers, pids);
  const nodes = [...new Set(targets.list.flatMap(namesOf))];
  const isAny = whom.kind === "everyone";
  const asked: Asked = isAny ? { kind: "any", atLeast } : { kind: "nodes", nodes };
  const destination = isAny ? "everyone" : nodes;
  const { naming } = session;
  const replyTo = replyKey(destination, naming.controlExchange);
  return {
    ...session,
    ...patience,
    asked,
    targets: targets.list,
    isNamed: named.length > 0,
    others: targets.others,
    pidfile: isAny ? null : (whom.pidfile?.value ?? null),
    place,
    destination,
    route: routesTo(firstDatabase(session.broker), naming, replyTo, false)[0],
    replyTo,
    keep: nodes.length === 1 ? KEEP_ONE : KEEP_MANY,
    rules: { ...rules, asked, naming },
  };
}
