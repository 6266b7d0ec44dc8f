import type { ChosenBrokers } from "../discovery/choose-broker.ts";
import { discover, type Discovery } from "../discovery/discover.ts";
import type { Placement } from "../discovery/place.ts";
import { severalBrokers, type WorkersBroker } from "../discovery/several-brokers.ts";
import type { BrokerConfig, Config } from "../cli/options.ts";
import { type UsageProblem, wrong } from "../cli/usage.ts";
import type { Host } from "../host.ts";
import { type Outcome, success } from "../outcome.ts";
import { names } from "../render/speech.ts";
import { planSession, type SessionPlan } from "../session/plan.ts";

/** The fleet to watch. */
export interface FoundFleet {
  readonly plan: SessionPlan;
  readonly place: Placement;
  /** The full names of the given nodes. Empty: all nodes. */
  readonly named: readonly string[];
}

/** Finds the fleet of one broker, for `serve` and `watch`. */
export async function findFleet(
  config: BrokerConfig & Pick<Config, "node" | "placement">,
  host: Host,
): Promise<Outcome<FoundFleet, UsageProblem>> {
  const { node, placement } = config;
  const whom = { kind: "workers", node, placement: placement.value, pidfile: null } as const;
  const found = await discover(whom, config, host);
  if (!found.ok) return found;
  const several = await whichOf(found.value, config, host);
  if (several !== null) return wrong(several);
  const { place, brokers, pids, named } = found.value;
  return success({ plan: planSession(config, brokers, pids), place, named });
}

/** The problem if the broker is not clear: workers in sight have several, and the user named none of them. */
async function whichOf(
  { targets, brokers }: Discovery,
  config: BrokerConfig,
  host: Host,
): Promise<string | null> {
  if (isByUser(brokers)) return null;
  const workers = targets.list.flatMap(({ node, worker }) => (worker === null ? [] : [{ node, worker }]));
  const several = await severalBrokers(workers, brokers, config, host);
  if (several.length === 0) return null;
  return (
    `the workers in sight have ${several.length} brokers (${several.map(shown).join("; ")}): ` +
    "expected --broker with the URL of one, or --node with workers of one"
  );
}

function shown({ shown: url, nodes }: WorkersBroker): string {
  return `${url} of ${names(nodes)}`;
}

function isByUser({ read: { origin } }: ChosenBrokers): boolean {
  return origin.kind === "flag" || origin.kind === "environment";
}
