import { type ClientRow, parseClientList } from "../broker/client-list.ts";
import type { BrokerTarget } from "../broker/url.ts";
import { brokerOf } from "../discovery/choose-broker.ts";
import type { Host } from "../host.ts";
import type { Connections } from "../worker/connections.ts";
import type { Endpoint } from "../worker/sockets.ts";
import type { BrokerName } from "./evidence.ts";
import type { CheckPlan } from "./plan.ts";

/** The host name of the broker's URL, and the addresses that it has led to. */
export interface NameSight {
  /**
   * Looks up the name. An answer that changes from look to look does not show that the name has moved.
   *
   * @param rows the connection list of the server that the name leads to
   * @param elsewhere the servers that the worker is connected to
   */
  readonly look: (
    rows: readonly ClientRow[] | null,
    elsewhere: readonly Endpoint[],
    withinMs: number,
  ) => Promise<void>;
  readonly seen: () => BrokerName | null;
}

/** Null: the URL has an address instead of a name, or it has several servers. */
export function watchName({ broker, targets }: CheckPlan, host: Host): NameSight | null {
  const { located } = broker;
  if (located.kind !== "servers" || located.servers.length > 1) return null;
  const [target] = located.servers;
  const { place } = target;
  if (place.kind !== "tcp" || /^[\d.]+$|:/.test(place.host)) return null;
  const isWorkersOwn = targets.some(({ worker }) => {
    const own = worker === null ? null : brokerOf(worker);
    const servers = own?.kind === "servers" ? own.servers : [];
    return servers.some((server) => server.place.kind === "tcp" && server.place.host === place.host);
  });
  const answers: (readonly string[])[] = [];
  let old: BrokerName["old"] = "unasked";
  return {
    async look(rows, elsewhere, withinMs) {
      const end = host.now() + withinMs;
      const found = await host.addressesOf(place.host, withinMs);
      if (found.length === 0) return;
      answers.push(found.toSorted());
      const from = elsewhere.find(({ address, port }) => port === place.port && !found.includes(address));
      if (from === undefined || rows === null || old !== "unasked") return;
      const there: BrokerTarget = { ...target, place: { ...place, address: from.address } };
      old = await stateOf(there, rows, host, end - host.now());
    },
    seen: () =>
      answers.length === 0
        ? null
        : {
            name: place.host,
            port: place.port,
            addresses: [...new Set(answers.flat())],
            changes: new Set(answers.map((found) => found.join())).size > 1,
            isWorkersOwn,
            old,
          },
  };
}

/**
 * The state of a server that the name has led to earlier and does not lead to now. A name that moves does so once:
 * every worker on the old server connected before every worker on the new one. If workers have connected to the two by
 * turns, the name leads to both.
 */
async function stateOf(
  target: BrokerTarget,
  newRows: readonly ClientRow[],
  host: Host,
  withinMs: number,
): Promise<BrokerName["old"]> {
  const channel = await host.connect(target, withinMs);
  if (!channel.ok) return "unasked";
  const sent = await channel.value.send([["CLIENT", "LIST"]], withinMs);
  channel.value.close();
  const [reply] = sent.ok ? sent.value : [];
  const rows = reply?.ok === true ? parseClientList(reply.value) : null;
  if (rows === null) return sent.ok ? "unknown" : "unasked";
  const youngest = Math.min(...agesOfWorkers(rows));
  const oldest = Math.max(0, ...agesOfWorkers(newRows));
  return youngest < oldest + SLACK_S ? "shared" : "left";
}

/** This compares ages from two servers. Each counts whole seconds of its own clock. */
const SLACK_S = 2;

function agesOfWorkers(rows: readonly ClientRow[]): readonly number[] {
  return rows
    .filter(({ command, patterns }) => command === "brpop" || (patterns > 0 && command !== "publish"))
    .map(({ ageS }) => ageS ?? 0);
}

/** The servers that the worker is connected to and that are not part of the broker. */
export function elsewhereOf(connections: readonly (Connections | null)[]): readonly Endpoint[] {
  return connections.flatMap((one) => (one === null || one.kind === "known" ? [] : one.elsewhere));
}
