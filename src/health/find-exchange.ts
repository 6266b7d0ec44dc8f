import { asText } from "../numbers.ts";
import { bindingsOf, type Naming, pidboxBindings, pidboxExchange } from "../broker/keys.ts";
import type { Deadline } from "../deadline.ts";
import type { Channel } from "../broker/channel.ts";

/**
 * The search ends after this time, in milliseconds, and after this many slices of the keys. A large database is not
 * searched completely.
 */
const SEARCH_MS = 300;
const SLICES = 20;
const SLICE = 500;

/**
 * The control exchange that one of the nodes is bound to, if the probe has asked through another one. kombu keeps its
 * bindings in sets, `_kombu.binding.<exchange>` (kombu/transport/redis.py `_queue_bind`).
 *
 * @returns null: nothing shows such an exchange, or the search is not permitted
 */
export async function findExchange(
  channel: Channel,
  { prefix, controlExchange }: Naming,
  nodes: readonly string[],
  deadline: Deadline,
): Promise<string | null> {
  const [head, tail] = [bindingsOf("", prefix), pidboxExchange("")];
  const exchangeOf = (key: string): readonly string[] => {
    if (!key.startsWith(head) || !key.endsWith(tail)) return [];
    const exchange = key.slice(head.length, -tail.length);
    return exchange === "" || exchange.startsWith("reply.") ? [] : [exchange];
  };
  const until = deadline.left() - SEARCH_MS;
  let cursor = "0";
  for (let slice = 0; slice < SLICES && deadline.left() > Math.max(0, until); slice++) {
    const sent = await channel.send(
      [["SCAN", cursor, "MATCH", `${head}*${tail}`, "COUNT", SLICE]],
      deadline.atMost(SEARCH_MS),
    );
    const reply = sent.ok ? sent.value[0] : undefined;
    if (!reply?.ok || !Array.isArray(reply.value)) return null;
    const [next, keys] = reply.value as [unknown, unknown];
    const exchanges = (Array.isArray(keys) ? keys : []).flatMap((key) => exchangeOf(asText(key)));
    for (const exchange of exchanges.filter((name) => name !== controlExchange)) {
      if (await isBound(channel, prefix, exchange, nodes, deadline)) return exchange;
    }
    cursor = asText(next);
    if (cursor === "0") return null;
  }
  return null;
}

async function isBound(
  channel: Channel,
  prefix: string,
  exchange: string,
  nodes: readonly string[],
  deadline: Deadline,
): Promise<boolean> {
  const key = bindingsOf(pidboxExchange(exchange), prefix);
  const members = nodes.flatMap((node) => pidboxBindings(node, exchange));
  const sent = await channel.send(
    members.map((member) => ["SISMEMBER", key, member]),
    deadline.atMost(SEARCH_MS),
  );
  return sent.ok && sent.value.some((reply) => reply.ok && reply.value === 1);
}
