import { heartbeatChannels, heartbeatPatterns, whenceOf } from "../broker/keys.ts";
import type { Deadline } from "../deadline.ts";
import type { Host } from "../host.ts";
import { decodeHeartbeat, type Heartbeat } from "../worker/heartbeat.ts";
import type { Session } from "./session.ts";

/** What is heard of the workers of a session without asking. */
export interface Heartbeats {
  /** The newest of each node, by full node name; grows. */
  readonly heard: ReadonlyMap<string, Heartbeat>;
  readonly close: () => void;
}

/** Begins to listen to the heartbeats of the session's workers; where the broker does not permit it, none is heard. */
export function listenToHeartbeats({ plan, write }: Session, host: Host, deadline: Deadline): Heartbeats {
  const heard = new Map<string, Heartbeat>();
  const { target } = write;
  const topics = { broad: heartbeatPatterns(), exact: heartbeatChannels(target.db, plan.naming) };
  const opened = host.listen(
    target,
    (channel, text) => {
      const beat = decodeHeartbeat(channel, text);
      const isOurs = whenceOf(channel, target.db, plan.naming)?.kind === "expected";
      if (beat !== null && isOurs) heard.set(beat.node, beat);
    },
    topics,
    deadline.atMost(plan.connectTimeout),
  );
  return {
    heard,
    close() {
      void opened.then((listener) => {
        if (listener.ok) listener.value.close();
      });
    },
  };
}
