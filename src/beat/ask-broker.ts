import { asNumber, asText } from "../numbers.ts";
import { beatSettings } from "../celery/beat.ts";
import type { BrokerConfig } from "../cli/options.ts";
import type { Deadline } from "../deadline.ts";
import { chooseBrokers, type Instructed } from "../discovery/choose-broker.ts";
import { withConnections } from "../discovery/discover.ts";
import type { Host } from "../host.ts";
import { planSession } from "../session/plan.ts";
import { openSession, type Session } from "../session/session.ts";
import type { BeatProcess } from "./find-beats.ts";
import type { BeatBroker } from "./look-at-beats.ts";

/**
 * Connects to the broker that a beat uses. It is found in the same way as a worker's broker.
 *
 * @returns the session, or why there is no connection, in words without passwords
 */
export async function openBeatBroker(
  config: BrokerConfig,
  host: Host,
  deadline: Deadline,
  beat: BeatProcess,
): Promise<Session | string> {
  const { pid, given, environment } = beat;
  const instructed: Instructed = {
    pid,
    option: given.values.get("broker") ?? null,
    environment: environment === null ? null : Object.fromEntries(environment),
  };
  const chosen = chooseBrokers(config, host, [instructed]);
  if (!chosen.ok) return chosen.problem.sentence;
  const brokers = await withConnections(chosen.value, [pid], config, host, deadline.left());
  if (brokers.read.origin.kind === "default") return "nobody names one";
  const plan = planSession(config, brokers, [pid]);
  const session = await openSession(plan, host, deadline);
  return session.ok ? session.value : `${plan.broker.shown} cannot be used`;
}

/** How often a beat is pinged if it does not answer. */
const ATTEMPTS = 2;

/**
 * In seconds. Within this time a beat connects again after its broker restarts: kombu waits at most 30 s between two
 * attempts.
 */
const RECONNECT_S = 60;

export function beatBroker(session: Session, timeoutMs: number): BeatBroker {
  /** Seconds since the server was started. Null: it does not say. */
  async function upS(): Promise<number | null> {
    const sent = await session.send([["INFO", "server"]]);
    const reply = sent.ok ? sent.value[0] : undefined;
    const found = /^uptime_in_seconds:(\d+)/m.exec(reply?.ok ? asText(reply.value) : "")?.[1];
    return found === undefined ? null : Number(found);
  }

  return {
    async answers(node) {
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        const replies = await session.ask({ method: "ping" }, [node], timeoutMs);
        if (!replies.ok) return null;
        if (replies.value.results.has(node)) return true;
        // An unreadable answer counts too: only this beat was asked.
        if (replies.value.unread.length + replies.value.overBound.length > 0) return true;
      }
      const up = await upS();
      return up !== null && up < RECONNECT_S ? null : false;
    },
    async lock(key) {
      const sent = await session.send([
        ["TTL", key],
        ["GET", key],
      ]);
      const [ttl, token] = sent.ok ? sent.value : [];
      if (!ttl?.ok) return "unasked";
      const ttlS = asNumber(ttl.value);
      if (ttlS === -2) return "gone";
      return { ttlS: ttlS < 0 ? null : ttlS, token: token?.ok ? asText(token.value) : null };
    },
    async settings() {
      const replies = await session.ask({ method: "conf", withDefaults: false }, "everyone", timeoutMs);
      return beatSettings(replies.ok ? replies.value.results.values() : []);
    },
  };
}
