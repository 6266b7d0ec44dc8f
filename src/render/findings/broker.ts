import type { BrokerFacts } from "../../doctor/facts/broker.ts";
import { brokerStatement } from "../broker-words.ts";
import { bytes, seconds } from "../speech.ts";
import type { WordsOf } from "./words.ts";

export const BROKER_WORDS: WordsOf<BrokerFacts> = {
  broker: ({ url, from, failure, wasWell, server, upS }) => {
    const named = `${url} (from ${from})`;
    if (failure !== null) {
      const { fact, hint } = brokerStatement(url, failure);
      const since = wasWell ? "; it answered when this run began" : "";
      return { seen: `${fact} (from ${from})${since}`, next: hint };
    }
    const up = upS === null ? "" : `, up for ${seconds(upS)}`;
    return `${named} answers: ${server ?? "a server that does not say which"}${up}`;
  },
  "broker-memory": ({ used, limit, policy }, level, _, faults) => {
    return {
      seen:
        limit === null
          ? `${bytes(used)} used, no limit set`
          : `${bytes(used)} of ${bytes(limit)} used, maxmemory-policy ${policy ?? "not said"}`,
      next:
        level !== "warning"
          ? null
          : faults.includes("may-evict")
            ? "a broker must throw nothing away: CONFIG SET maxmemory-policy noeviction, or a server of its own"
            : "make room or raise maxmemory: a full broker takes no task, and workers that are asked end on it",
    };
  },
};
