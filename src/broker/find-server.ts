import { failure, type Outcome, success } from "../outcome.ts";
import type { Channel } from "../pidbox/channel.ts";
import type { BrokerFailure } from "./failure.ts";
import type { Found, Search } from "./search.ts";
import type { Located } from "./settings.ts";
import { type BrokerTarget, placeText } from "./url.ts";

/**
 * Connects to the server that a broker URL means: the only one, the one of several that answers, or the one that
 * Sentinels name.
 */
export async function findServer(broker: Located, search: Search): Promise<Outcome<Found, BrokerFailure>> {
  if (broker.kind === "sentinel") return (await import("./sentinel.ts")).findMaster(broker, search);
  const [first, ...alternates] = broker.servers;
  if (alternates.length > 0) return firstOf(broker.servers, search);
  const channel = await search.connect(first, Math.min(search.connectMs, search.leftMs()));
  return channel.ok ? success({ channel: channel.value, target: first, masterForS: null }) : channel;
}

/** In order, as kombu tries them; of those that answer the one that the worker is connected to, else the first. */
async function firstOf(
  servers: readonly [BrokerTarget, ...BrokerTarget[]],
  search: Search,
): Promise<Outcome<Found, BrokerFailure>> {
  let best: Found | null = null;
  let problem: BrokerFailure | null = null;
  for (const [position, target] of servers.entries()) {
    // One share is kept for the asking.
    const share = Math.min(search.connectMs, search.leftMs() / (servers.length - position + 1));
    const tried = await answering(target, share, search);
    if (!tried.ok) {
      problem ??= { ...tried.problem, where: placeText(target.place) };
      continue;
    }
    const found = { channel: tried.value, target, masterForS: null };
    const ends = found.channel.ends();
    if (ends !== null && (await search.isTheWorkers(ends))) {
      best?.channel.close();
      return success(found);
    }
    if (best === null) best = found;
    else found.channel.close();
  }
  if (best !== null) return success(best);
  return failure(problem as BrokerFailure);
}

/** A connection on which the server has said something: one that takes connections and is frozen is no choice. */
async function answering(
  target: BrokerTarget,
  withinMs: number,
  { connect, now }: Search,
): Promise<Outcome<Channel, BrokerFailure>> {
  const start = now();
  const channel = await connect(target, withinMs);
  if (!channel.ok) return channel;
  const said = await channel.value.send([["PING"]], Math.max(1, withinMs - (now() - start)));
  // What it refuses is said when it is asked: kombu goes on to the next one only where there is no connection.
  if (said.ok || said.problem.kind === "refused") return channel;
  channel.value.close();
  return said;
}
