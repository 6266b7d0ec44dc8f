import type { BrokerFailure } from "../broker/failure.ts";
import type { Verdict } from "../health/verdict.ts";

/**
 * What a long-running command knows about a broker, its workers and its queues at one moment. It is plain data. The
 * screen of `watch` renders it, and so do the page, the metrics and the JSON of `serve`. All times are seconds since
 * 1970 by our own clock, never by a worker's.
 */
export interface FleetView {
  readonly atS: number;
  readonly broker: BrokerView;
  readonly rounds: RoundsView;
  /** The worst first, then by name. */
  readonly nodes: readonly FleetNode[];
  /** Names that said goodbye and are not shown, each with the time of its goodbye. */
  readonly left: ReadonlyMap<string, number>;
  /** By name. */
  readonly queues: readonly FleetQueue[];
  /** The number of workers that are subscribed and have not told their names. */
  readonly nameless: number;
  /** Deliveries of the database that no worker has acknowledged; null: not read. */
  readonly unacked: { readonly messages: number; readonly oldestS: number | null } | null;
  /** Whether a beat was seen to send tasks or its own heartbeats; null: no beat is known. */
  readonly beat: { readonly isHealthy: boolean; readonly lastS: number | null } | null;
  /** Reply lists of remote control, found by a bounded SCAN; null: not searched. */
  readonly replyLists: number | null;
  /** What the limits have left out since the start. */
  readonly dropped: { readonly nodes: number; readonly queues: number };
}

export interface BrokerView {
  /** Its URL, masked. */
  readonly shown: string;
  readonly trouble: { readonly failure: BrokerFailure; readonly sinceS: number } | null;
  /** The round-trip time of the last PING, in seconds. */
  readonly rttS: number | null;
  readonly reconnects: number;
}

/** Until the first round is done, there was no time to hear all nodes. */
export interface RoundsView {
  readonly done: number;
  readonly failed: number;
  readonly lastEndedS: number | null;
  readonly lastTookS: number | null;
  /** Two rounds in a row gave no result. So what is known about single workers is too old to be shown. */
  readonly areStale: boolean;
}

export interface FleetNode {
  readonly node: string;
  /** Whether it runs on our machine, so that its process was looked at. */
  readonly isLocal: boolean;
  readonly verdict: FleetVerdict;
  /** Since when it has this status and reason. */
  readonly sinceS: number;
  /** When it last answered, was heard, or its process was seen to work. */
  readonly lastEvidenceS: number;
  /** How long its last answer to a ping took, in seconds. */
  readonly pingS: number | null;
  /** Running tasks, by its last heartbeat or answer. */
  readonly active: number | null;
  /** How many tasks its pool runs at once. */
  readonly slots: number | null;
  /** Tasks that its process has begun. While that process lives, the number never goes down. */
  readonly processed: number | null;
  readonly perS: number | null;
  /** Tasks per second at the last looks, oldest first. */
  readonly trend: readonly number[];
  readonly queues: readonly string[];
  readonly version: string | null;
  readonly pid: number | null;
  /** How often another process has taken its name since we started. */
  readonly restarts: number;
  /** Processes that answer under this name at the same time; 1 is normal. */
  readonly copies: number;
  readonly oldest: { readonly name: string; readonly ageS: number } | null;
  /** Resident memory of all its processes, in bytes; null: not in sight. */
  readonly memory: number | null;
}

/** The verdict on a node that was watched for some time. The words of `status` and `reason` are the check's words. */
export type FleetVerdict =
  | { readonly status: "healthy"; readonly reason: "alive" }
  /** Nothing is heard of it, and it does not answer. As far as we know, it is subscribed. So its task may block it. */
  | { readonly status: "healthy"; readonly reason: "busy"; readonly silentS: number; readonly graceS: number }
  | {
      readonly status: "unhealthy";
      readonly reason: "hung";
      readonly silentS: number;
      readonly graceS: number;
    }
  /** Its heartbeats arrive, but it does not answer. */
  | { readonly status: "healthy"; readonly reason: "deaf"; readonly silentS: number; readonly graceS: number }
  /** It said goodbye. Or nothing is heard of it, and no subscriber is left that may be this node. */
  | {
      readonly status: "unhealthy";
      readonly reason: "gone";
      readonly how: "goodbye" | "vanished";
      readonly forS: number;
    }
  | ({
      readonly status: "unhealthy";
      readonly reason: "not-consuming";
      readonly queue: string;
      readonly waiting: number;
      readonly forS: number;
    } & NotFetching)
  | {
      readonly status: "unknown";
      readonly reason: "broker-unreachable" | "broker-refused";
      readonly failure: BrokerFailure;
    }
  /**
   * `never-heard`: it was named, and nothing has been heard of it yet. `broker-returned`: it had no time to be heard
   * since the broker came back.
   */
  | {
      readonly status: "unknown";
      readonly reason: "undecided";
      readonly because: "never-heard" | "broker-returned";
      readonly forS: number;
    }
  /** The check's own verdict on a worker whose process is in sight. */
  | {
      readonly status: Verdict["status"];
      readonly reason: Verdict["reason"];
      readonly seen: { readonly fact: string; readonly hint: string | null };
    };

/**
 * `cancelled`: it says that it consumes nothing; `stalled`: it says that it consumes the queue, but it does not fetch.
 */
type NotFetching = { readonly how: "cancelled"; readonly node: string } | { readonly how: "stalled" };

export interface FleetQueue {
  readonly queue: string;
  /** Waiting messages, of all priorities; null: the broker does not say. */
  readonly length: number | null;
  /** Lengths at the last looks, oldest first. */
  readonly trend: readonly number[];
  /** The number of healthy nodes that consume it. */
  readonly consumers: number;
  /** The slots of these nodes, and the tasks that they run. */
  readonly slots: number | null;
  readonly active: number | null;
  /** Since when it has never been seen empty; null: it is empty. */
  readonly nonemptySinceS: number | null;
}
