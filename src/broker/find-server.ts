import { failure, type Outcome, success } from "../outcome.ts";
import type { Channel } from "./channel.ts";
import { type BrokerFailure, refusedBy } from "./failure.ts";
import type { Found, Search } from "./search.ts";
import type { Located } from "./settings.ts";
import { type BrokerTarget, placeText } from "./url.ts";

/**
 * Connects to the server that a broker URL means. That is the only one, one of several that answers, or the one that
 * Sentinels name.
 */
export async function findServer(broker: Located, search: Search): Promise<Outcome<Found, BrokerFailure>> {
  if (broker.kind === "sentinel") return (await import("./sentinel.ts")).findMaster(broker, search);
  const [first, ...alternates] = broker.servers;
  if (alternates.length > 0) return firstOf(broker.servers, search);
  const channel = await search.connect(first, Math.min(search.connectMs, search.leftMs()));
  if (!channel.ok) return channel;
  const found = { channel: channel.value, target: first, shown: placeText(first.place), masterForS: null };
  const addresses = channel.value.addresses?.() ?? [];
  return addresses.length < 2 ? success(found) : success(await atWorkersAddress(found, addresses, search));
}

/** A name may have several addresses with a server at each. The address that the worker is connected to counts. */
async function atWorkersAddress(found: Found, addresses: readonly string[], search: Search): Promise<Found> {
  const remote = found.channel.ends()?.remote;
  const { target } = found;
  if (remote === undefined || target.place.kind !== "tcp" || (await search.isTheWorkers(remote)))
    return found;
  for (const address of addresses) {
    if (address === remote.address || !(await search.isTheWorkers({ ...remote, address }))) continue;
    const there: BrokerTarget = { ...target, place: { ...target.place, address } };
    const channel = await search.connect(there, Math.min(search.connectMs, search.leftMs()));
    if (!channel.ok) continue;
    found.channel.close();
    return { ...found, channel: channel.value, target: there };
  }
  return found;
}

/**
 * Tries the servers in order, as kombu does. If several answer, it takes the one that the worker is connected to. If we
 * cannot see that, it takes the first server with subscribers to patterns, because workers subscribe to patterns. A
 * worker that has moved to the next server stays there when the first comes back.
 */
async function firstOf(
  servers: readonly [BrokerTarget, ...BrokerTarget[]],
  search: Search,
): Promise<Outcome<Found, BrokerFailure>> {
  let best: (Found & { readonly isHeard: boolean }) | null = null;
  let problem: BrokerFailure | null = null;
  for (const [position, target] of servers.entries()) {
    // One share of the time is kept for the questions that follow.
    const share = Math.min(search.connectMs, search.leftMs() / (servers.length - position + 1));
    const tried = await answering(target, share, search);
    if (!tried.ok) {
      problem ??= { ...tried.problem, where: placeText(target.place) };
      continue;
    }
    const { channel, isHeard } = tried.value;
    const found = { channel, target, shown: placeText(target.place), masterForS: null, isHeard };
    const ends = found.channel.ends();
    if (ends !== null && (await search.isTheWorkers(ends.remote))) {
      best?.channel.close();
      return success(found);
    }
    if (best === null || (isHeard && !best.isHeard)) {
      best?.channel.close();
      best = found;
    } else found.channel.close();
  }
  if (best !== null) return success(best);
  return failure(problem as BrokerFailure);
}

/**
 * A connection to a server that lets us in and answers. Like kombu, we go on to the next server if one is frozen,
 * refuses the login or is still loading. In redis.exceptions, AuthenticationError and BusyLoadingError are
 * ConnectionErrors.
 */
async function answering(
  target: BrokerTarget,
  withinMs: number,
  { connect, now }: Search,
): Promise<Outcome<{ readonly channel: Channel; readonly isHeard: boolean }, BrokerFailure>> {
  const start = now();
  const channel = await connect(target, withinMs);
  if (!channel.ok) return channel;
  const questions = [["PING"], ["PUBSUB", "NUMPAT"]] as const;
  const said = await channel.value.send(questions, Math.max(1, withinMs - (now() - start)));
  const [reply, patterns] = said.ok ? said.value : [];
  const refusal = reply?.ok === false && SHUT.test(reply.error) ? reply.error : null;
  // If we may not ask for the number, there may be a subscriber.
  const isHeard = patterns?.ok !== true || patterns.value !== 0;
  if (said.ok && refusal === null) return success({ channel: channel.value, isHeard });
  channel.value.close();
  return said.ok ? failure(refusedBy("PING", refusal ?? "")) : said;
}

/** Replies of a server that accepts no command from any user. Whether our user may PING is another question. */
const SHUT = /^(?:NOAUTH|LOADING|MASTERDOWN)\b|max number of clients/;
