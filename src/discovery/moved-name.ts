import { wholeEnvironment } from "../worker/environment.ts";
import { socketTables } from "../worker/sockets.ts";
import type { Host } from "../host.ts";
import { serversInUse } from "./servers-in-use.ts";
import { brokerUrlsIn } from "./variables.ts";

/** A host name in a worker's variable that no longer leads to the address that the worker is connected to. */
export interface MovedName {
  readonly variable: string;
  readonly pid: number;
  readonly name: string;
  readonly port: number;
  readonly addresses: readonly string[];
}

/**
 * The name by which the worker may have found its broker, if no option or variable named the broker. Each name is
 * looked up before and after the observation. A name whose answer changes between these is no sign of a move.
 *
 * @param broker the address that the worker is connected to
 */
export async function movedName(
  pid: number,
  broker: { readonly host: string; readonly port: number },
  host: Host,
  observed: () => Promise<void>,
  withinMs: number,
): Promise<MovedName | null> {
  const environment = wholeEnvironment(host.proc, pid);
  const named = brokerUrlsIn(environment === null ? [] : [environment]).flatMap(({ name, url }) => {
    const [server] = url.broker.kind === "servers" ? url.broker.servers : [];
    if (server?.place.kind !== "tcp" || server.place.port !== broker.port) return [];
    return [{ variable: name, name: server.place.host }];
  });
  // If any name has the broker's address, it explains the connection.
  if (named.length === 0 || named.some(({ name }) => name === broker.host)) return null;
  const lookUp = () => Promise.all(named.map(({ name }) => host.addressesOf(name, withinMs)));
  const before = await lookUp();
  await observed();
  const after = await lookUp();
  if ([...before, ...after].flat().includes(broker.host)) return null;
  const left = () => withinMs;
  const { servers } = serversInUse(host.proc, pid, socketTables(host.proc, left));
  const connected = new Set(servers.map(({ address }) => address));
  const at = named.findIndex((_, position) => {
    const [old = [], found = []] = [before[position], after[position]];
    // The worker may also use a second Redis, such as a cache, and be connected to it.
    return found.length > 0 && sorted(old) === sorted(found) && !found.some((one) => connected.has(one));
  });
  const moved = named[at];
  return moved === undefined ? null : { ...moved, pid, port: broker.port, addresses: after[at] ?? [] };
}

const sorted = (addresses: readonly string[]) => addresses.toSorted().join();
