import { type BrokerConfig, type Config, OPTIONS } from "../cli/options.ts";
import { complaint, type UsageProblem, wrong } from "../cli/usage.ts";
import type { Host } from "../host.ts";
import { type Outcome, success } from "../outcome.ts";
import { isHostName, unfilled, unfilledWords } from "../unfilled.ts";
import { chooseBrokers, type ChosenBrokers, instructed, isUnnamed } from "./choose-broker.ts";
import { lookAround } from "./look-around.ts";
import { type GivenPlacement, placeOf, type Placement } from "./place.ts";
import { chooseTargets, namesOf, type Targets } from "./targets.ts";

/** Which workers are meant: the ones of this machine, the ones with these names, or all of the broker. */
export type Whom =
  | {
      readonly kind: "workers";
      /** In the form of `-n`; none: every worker in sight. */
      readonly node: Config["node"];
      readonly placement: GivenPlacement;
      readonly pidfile: Config["pidfile"] | null;
    }
  | { readonly kind: "everyone" };

/** The workers here, their names, and their broker. */
export interface Discovery {
  /** Empty if all workers are meant. */
  readonly targets: Targets;
  /** The processes of these targets. Without a worker, these are programs that may be a worker under another name. */
  readonly pids: readonly number[];
  /** The full names of the nodes that the user named; empty: the user named none. */
  readonly named: readonly string[];
  readonly place: Placement;
  readonly brokers: ChosenBrokers;
}

/**
 * Looks for workers and finds the broker. If no setting names it, the workers' connections show it.
 *
 * @param leftMs the time left for the run, in milliseconds
 */
export async function discover(
  whom: Whom,
  config: BrokerConfig,
  host: Host,
  leftMs = Infinity,
): Promise<Outcome<Discovery, UsageProblem>> {
  const isNamed = whom.kind === "workers" && whom.pidfile !== null && whom.pidfile.value !== null;
  const namedBy = isNamed ? (await import("../worker/pidfile.ts")).workerOfPidfile : undefined;
  const found = discoverByName(whom, config, host, namedBy);
  if (!found.ok) return found;
  const { place, brokers } = found.value;
  if (!isUnnamed(brokers)) return found;
  const pids = found.value.pids.length > 0 ? found.value.pids : await possiblePids(place, host, leftMs);
  return success({
    ...found.value,
    pids,
    brokers: await withConnections(brokers, pids, config, host, leftMs),
  });
}

/** The named brokers. If none is named, what the connections of these processes show. */
export async function withConnections(
  brokers: ChosenBrokers,
  pids: readonly number[],
  config: BrokerConfig,
  host: Host,
  leftMs: number,
): Promise<ChosenBrokers> {
  if (!isUnnamed(brokers) || pids.length === 0) return brokers;
  const { findConnectedBroker } = await import("./connected-broker.ts");
  const { broker, failure } = await findConnectedBroker(pids, config, host, leftMs);
  // A broker from a platform's variable is better than none.
  if (broker === null && brokers.read.origin.kind !== "default") return brokers;
  return { ...brokers, read: broker ?? brokers.read, failure };
}

/** The most programs whose servers are asked. They may be the worker under another name. */
const MOST_POSSIBLE = 8;

/**
 * Programs that are connected to a possible broker come first, and among them the ones known to run Python. A program
 * may hide that it does.
 */
async function possiblePids(place: Placement, host: Host, leftMs: number): Promise<readonly number[]> {
  if (place.kind === "out-of-sight") return [];
  const [{ candidatesIn }, { serversInUse }, { socketTables }] = await Promise.all([
    import("../worker/candidates.ts"),
    import("./servers-in-use.ts"),
    import("../worker/sockets.ts"),
  ]);
  const end = host.now() + leftMs;
  const tables = socketTables(host.proc, () => end - host.now());
  const ranked = candidatesIn(host.proc, place.survey.workers).flatMap(({ pid, isPython }) => {
    const { servers, lost, kind } = serversInUse(host.proc, pid, tables);
    const isConnected = servers.length + lost.length > 0 || kind === "unreadable";
    return isConnected || isPython !== false ? [{ pid, isConnected, isPython: isPython === true }] : [];
  });
  return ranked
    .toSorted(
      (a, b) => Number(b.isConnected) - Number(a.isConnected) || Number(b.isPython) - Number(a.isPython),
    )
    .slice(0, MOST_POSSIBLE)
    .map(({ pid }) => pid);
}

/**
 * Looks for workers and takes the named broker or the default. `everyone` ignores the workers in this container, for
 * the choice of the broker too.
 */
export function discoverByName(
  whom: Whom,
  config: BrokerConfig,
  host: Host,
  namedBy?: Parameters<typeof lookAround>[2],
): Outcome<Discovery, UsageProblem> {
  if (whom.kind === "everyone") {
    const brokers = chooseBrokers(config, host, []);
    const place = { kind: "out-of-sight", name: "remote" } as const;
    return brokers.ok
      ? success({ targets: NOBODY, pids: [], named: [], place, brokers: brokers.value })
      : brokers;
  }
  const around = lookAround(whom, host, namedBy);
  if (!around.ok) return around;
  const targets = chooseTargets(whom.node.value, around.value, host);
  const unfilledNode = nodeToFillIn(whom.node, targets);
  if (unfilledNode !== null) return wrong(unfilledNode);
  const workers = targets.list.flatMap(({ worker }) => worker ?? []);
  const nodes = [...new Set(targets.list.flatMap(namesOf))];
  const place = placeOf(whom.placement, around.value, nodes, host.hostname);
  const isGone = workers.length === 0 && place.kind === "in-sight";
  const brokers = chooseBrokers(config, host, workers.map(instructed), isGone);
  if (!brokers.ok) return brokers;
  return success({
    targets,
    pids: workers.map(({ pid }) => pid),
    named: whom.node.value.length > 0 ? [...new Set(targets.list.map(({ node }) => node))] : [],
    place,
    brokers: brokers.value,
  });
}

/**
 * A name that the shell should have expanded. A worker in sight with the same mistake really has this name and can be
 * asked.
 */
function nodeToFillIn({ value, origin }: Config["node"], { list }: Targets): string | null {
  if (origin.kind === "default") return null;
  const unborne = list.filter(({ worker }) => worker === null).map(({ node }) => unfilled(node)?.name);
  const name = value.find((one) => unborne.includes(unfilled(one)?.name ?? ""));
  const variable = name === undefined ? null : unfilled(name);
  if (name === undefined || variable === null) return null;
  const hint = isHostName(variable) ? { hint: "write %h for the host name" } : {};
  return complaint(origin, OPTIONS.node.show(name), unfilledWords(variable, name, hint));
}

const NOBODY: Targets = { list: [], others: [] };
