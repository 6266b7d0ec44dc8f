import { type Broker, type Place, placeText, redact } from "../broker/url.ts";
import type { BrokerConfig } from "../cli/options.ts";
import type { BrokerUrl } from "../cli/values.ts";
import type { Host } from "../host.ts";
import type { WorkerProcess } from "../worker/survey.ts";
import { type ChosenBrokers, isUnnamed, namedBroker } from "./choose-broker.ts";
import { withConnections } from "./discover.ts";

/**
 * The most workers whose connections are examined if nothing names their brokers. If there are more, the first ones
 * speak for all.
 */
const MOST_ASKED = 8;

/** A broker's URL, masked, and the nodes that use it. */
export interface WorkersBroker {
  readonly shown: string;
  readonly nodes: readonly string[];
}

/**
 * The brokers of these workers if there are several, else an empty list. Workers that do not name their broker count
 * only if no worker names one. Then the connections tell.
 */
export async function severalBrokers(
  workers: readonly { readonly node: string; readonly worker: WorkerProcess }[],
  brokers: ChosenBrokers,
  config: BrokerConfig,
  host: Host,
): Promise<readonly WorkersBroker[]> {
  const groups: { readonly url: BrokerUrl; readonly nodes: string[] }[] = [];
  if (workers.length < 2) return [];
  for (const { node, worker } of isUnnamed(brokers) ? workers.slice(0, MOST_ASKED) : workers) {
    const url = isUnnamed(brokers)
      ? await connectedBroker(worker, brokers, config, host)
      : namedBroker(worker);
    if (url === null) continue;
    const known = groups.find((group) => isSame(group.url.broker, url.broker));
    if (known === undefined) groups.push({ url, nodes: [node] });
    else known.nodes.push(node);
  }
  return groups.length < 2 ? [] : groups.map(({ url: { text }, nodes }) => ({ shown: redact(text), nodes }));
}

/** Whether both lead to the same server and database, judged by their texts. Alternates may be in another order. */
function isSame(one: Broker, other: Broker): boolean {
  const theirs = endsOf(other);
  return endsOf(one).some((end) => theirs.includes(end));
}

function endsOf(broker: Broker): readonly string[] {
  if (broker.kind === "servers") return broker.servers.map(({ place, db }) => `${placeOf(place)}/${db}`);
  const { sentinels, master } = broker;
  return sentinels.map((place) => `${placeOf({ kind: "tcp", ...place })}/sentinel/${master.db}`);
}

function placeOf(place: Place): string {
  return placeText(place).replace(/^(?:localhost|\[::1\])(?=:)/, "127.0.0.1");
}

async function connectedBroker(
  { pid }: WorkerProcess,
  brokers: ChosenBrokers,
  config: BrokerConfig,
  host: Host,
): Promise<BrokerUrl | null> {
  const { read } = await withConnections(brokers, [pid], config, host, Infinity);
  return read.origin.kind === "connection" ? read.url : null;
}
