import { asText } from "../numbers.ts";
import type { Command, Reply } from "../broker/channel.ts";
import { bindingsOf, type Naming, nodeOfBinding, pidboxExchange } from "../broker/keys.ts";

/** How many names are read in one slice, and the most slices. */
const SLICE = 1_000;
const SLICES = 10;

/** Sends commands to the broker; null: no answer. */
type Send = (commands: readonly Command[]) => Promise<readonly Reply[] | null>;

/**
 * Nodes that were bound to the control exchange and never unbound (kombu/transport/redis.py `_queue_bind`). They are
 * running or were killed.
 *
 * @param hosts only nodes with one of these after the `@`; null: all
 * @returns null: we may not read the names, or there are too many
 */
export async function boundNodes(
  send: Send,
  { prefix, controlExchange }: Naming,
  hosts: readonly string[] | null,
): Promise<readonly string[] | null> {
  const exchange = pidboxExchange(controlExchange);
  const key = bindingsOf(exchange, prefix);
  const patterns = hosts?.map((host) => `*@${host.replace(/[*?[\]\\]/g, "\\$&")}.${exchange}`) ?? ["*"];
  const found = new Set<string>();
  for (const pattern of patterns) {
    let cursor = "0";
    let slices = 0;
    do {
      if (slices++ === SLICES) return null;
      const sent = await send([["SSCAN", key, cursor, "MATCH", pattern, "COUNT", SLICE]]);
      const reply = sent?.[0];
      if (reply?.ok !== true || !Array.isArray(reply.value)) return null;
      const [next, members] = reply.value as readonly unknown[];
      for (const member of Array.isArray(members) ? members : []) {
        const node = nodeOfBinding(asText(member), controlExchange);
        if (node !== null) found.add(node);
      }
      cursor = asText(next);
    } while (cursor !== "0");
  }
  return [...found];
}
