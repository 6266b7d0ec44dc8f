import type { BrokerFacts } from "../../doctor/facts/broker.ts";
import { brokerStatement } from "../broker-words.ts";
import { amount, bytes, names, seconds } from "../speech.ts";
import type { WordsOf } from "./words.ts";

export const BROKER_WORDS: WordsOf<BrokerFacts> = {
  broker: ({ url, from, failure, wasWell, server, upS, follows }) => {
    const up = upS === null ? "" : `, up for ${seconds(upS)}`;
    const well = `${url} (from ${from}) answers: ${server ?? "a server that does not say which"}${up}`;
    if (follows !== null) {
      const link = follows.isLinked ? "" : ", to which it has no connection";
      const replica = `a ${failure === null ? "writable" : "read-only"} replica of ${follows.primary}${link}`;
      return {
        seen: failure === null ? `${well}; it is ${replica}` : `${url} (from ${from}) is ${replica}`,
        next: `point the broker URL at ${follows.primary}; if you did not make it a replica, an intruder may have: send it REPLICAOF NO ONE, then set a password`,
      };
    }
    if (failure === null) return well;
    const { fact, hint } = brokerStatement(url, failure);
    return {
      seen: `${fact} (from ${from})${wasWell ? "; it answered when this run began" : ""}`,
      next: hint,
    };
  },
  "broker-name": ({ variable, pid, name, addresses, broker }) => ({
    seen: `it is connected to ${broker}; ${name} in ${variable} of process ${pid} leads to ${names(addresses)} now`,
    next: "restart the worker if the name has moved: it keeps its connection to the old server, and new clients send to the other",
  }),
  "broker-memory": ({ used, limit, policy, evicted }, level, _, faults) => {
    const lost = evicted === 0 ? "" : `; ${amount(evicted, "key")} evicted since it was started`;
    return {
      seen:
        limit === null
          ? `${bytes(used)} used, no limit set`
          : `${bytes(used)} of ${bytes(limit)} used, maxmemory-policy ${policy ?? "not said"}${lost}`,
      next:
        level === "ok"
          ? null
          : faults.includes("may-evict")
            ? `a broker must keep every message: CONFIG SET maxmemory-policy noeviction, or use a separate server${level === "problem" ? "; then restart the workers, which bind their queues as they start" : ""}`
            : "make room or raise maxmemory: a full broker takes no tasks, and workers that answer it end",
    };
  },
};
