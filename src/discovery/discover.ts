import type { BrokerConfig, Config } from "../cli/options.ts";
import type { UsageProblem } from "../cli/usage.ts";
import type { Host } from "../host.ts";
import { type Outcome, success } from "../outcome.ts";
import { chooseBrokers, type ChosenBrokers, instructed } from "./choose-broker.ts";
import type { WorkerProcess } from "../worker/survey.ts";
import { lookAround } from "./look-around.ts";
import { type GivenPlacement, placeOf, type Placement } from "./place.ts";
import { chooseTargets, namesOf, type Targets } from "./targets.ts";

/** Who is meant: workers of this machine or of these names, or all that the broker has. */
export type Whom =
  | {
      readonly kind: "workers";
      /** As after `-n`; empty: every worker in sight. */
      readonly nodes: readonly string[];
      readonly placement: GivenPlacement;
      readonly pidfile: Config["pidfile"] | null;
    }
  | { readonly kind: "everyone" };

/** Who is here, what they are called, and which broker is theirs. */
export interface Discovery {
  /** Nobody where everyone is meant. */
  readonly targets: Targets;
  /** The processes among them. */
  readonly workers: readonly WorkerProcess[];
  /** The full names of the nodes that were named; empty: none was. */
  readonly named: readonly string[];
  readonly place: Placement;
  readonly brokers: ChosenBrokers;
}

/** Looks around and finds the broker. `everyone` ignores the workers in this container, also when it chooses the broker. */
export function discover(whom: Whom, config: BrokerConfig, host: Host): Outcome<Discovery, UsageProblem> {
  if (whom.kind === "everyone") {
    const brokers = chooseBrokers(config, host.env, []);
    const place = { kind: "out-of-sight", name: "remote" } as const;
    return brokers.ok
      ? success({ targets: NOBODY, workers: [], named: [], place, brokers: brokers.value })
      : brokers;
  }
  const around = lookAround(whom, host);
  if (!around.ok) return around;
  const targets = chooseTargets(whom.nodes, around.value, host);
  const workers = targets.list.flatMap(({ worker }) => worker ?? []);
  const brokers = chooseBrokers(config, host.env, workers.map(instructed));
  if (!brokers.ok) return brokers;
  const nodes = [...new Set(targets.list.flatMap(namesOf))];
  return success({
    targets,
    workers,
    named: whom.nodes.length > 0 ? [...new Set(targets.list.map(({ node }) => node))] : [],
    place: placeOf(whom.placement, around.value, nodes, host.hostname),
    brokers: brokers.value,
  });
}

const NOBODY: Targets = { list: [], others: [] };
