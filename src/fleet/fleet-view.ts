import type { BrokerFailure } from "../broker/failure.ts";
import type { Verdict } from "../health/verdict.ts";

/**
 * What a long-running look knows of a broker, its workers and its queues at one moment. Plain data that its views
 * render: the screen of `watch`, and the page, the metrics and the JSON of `serve`. All times are seconds since 1970 of
 * our own clock, never of a worker's.
 */
export interface FleetView {
  readonly atS: number;
  readonly broker: BrokerView;
  readonly rounds: RoundsView;
  /** Worst first, then by name. */
  readonly nodes: readonly FleetNode[];
  /** Names that said goodbye and are not shown, each with the time of it. */
  readonly left: ReadonlyMap<string, number>;
  /** By name. */
  readonly queues: readonly FleetQueue[];
  /** Workers that are subscribed and have not told their names. */
  readonly nameless: number;
  /** Deliveries of the database that no worker has acknowledged; null: not read. */
  readonly unacked: { readonly messages: number; readonly oldestS: number | null } | null;
  /** Whether a beat was seen to send tasks or its own heartbeats; null: none is known. */
  readonly beat: { readonly isHealthy: boolean; readonly lastS: number | null } | null;
  /** Reply lists of remote control found by a bounded SCAN; null: not looked at. */
  readonly replyLists: number | null;
  /** What bounds have left out since the start. */
  readonly dropped: { readonly nodes: number; readonly queues: number };
}

export interface BrokerView {
  /** Its URL, masked. */
  readonly shown: string;
  readonly trouble: { readonly failure: BrokerFailure; readonly sinceS: number } | null;
  /** Round-trip time of the newest PING, in seconds. */
  readonly rttS: number | null;
  readonly reconnects: number;
}

/** Until the first round is done there was no time to hear everybody. */
export interface RoundsView {
  readonly done: number;
  readonly failed: number;
  readonly lastEndedS: number | null;
  readonly lastTookS: number | null;
  /** Two rounds in a row gave nothing: what is known of single workers is too old to be told. */
  readonly areStale: boolean;
}

export interface FleetNode {
  readonly node: string;
  /** Whether it runs where we do, so that its process was looked at. */
  readonly isLocal: boolean;
  readonly verdict: FleetVerdict;
  /** Since when the status and the reason are these. */
  readonly sinceS: number;
  /** When it answered, or was heard, or its process was seen to work. */
  readonly lastEvidenceS: number;
  /** How long its newest answer to a ping took, in seconds. */
  readonly pingS: number | null;
  /** Tasks that run, by its newest heartbeat or answer. */
  readonly active: number | null;
  /** Tasks that its pool runs at once. */
  readonly slots: number | null;
  /** Tasks that its process has begun, never lower than before while that process lives. */
  readonly processed: number | null;
  readonly perS: number | null;
  /** Tasks in a second at the last looks, oldest first. */
  readonly trend: readonly number[];
  readonly queues: readonly string[];
  readonly version: string | null;
  readonly pid: number | null;
  /** How often another process has taken its name since we began. */
  readonly restarts: number;
  /** Processes that answer by this name at once; 1 where all is well. */
  readonly copies: number;
  readonly oldest: { readonly name: string; readonly ageS: number } | null;
  /** Resident memory of all its processes, in bytes; null: not in sight. */
  readonly memory: number | null;
}

/**
 * What is said of a node that was watched for some time. The words of `status` and `reason` are the check's words.
 */
export type FleetVerdict =
  | { readonly status: "healthy"; readonly reason: "alive" }
  /** Nothing is heard of it, and it does not answer; it is subscribed, as far as is known: its task may block it. */
  | { readonly status: "healthy"; readonly reason: "busy"; readonly silentS: number; readonly graceS: number }
  | {
      readonly status: "unhealthy";
      readonly reason: "hung";
      readonly silentS: number;
      readonly graceS: number;
    }
  /** Its heartbeats come and it does not answer. */
  | { readonly status: "healthy"; readonly reason: "deaf"; readonly silentS: number; readonly graceS: number }
  /** It said goodbye, or nothing is heard of it and nobody is left who may be subscribed in its name. */
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
   * `never-heard`: it was named, and nothing was heard of it yet. `broker-returned`: it has had no time to be heard again
   * since the broker came back.
   */
  | {
      readonly status: "unknown";
      readonly reason: "undecided";
      readonly because: "never-heard" | "broker-returned";
      readonly forS: number;
    }
  /** The check's own verdict, of a worker whose process is in sight. */
  | {
      readonly status: Verdict["status"];
      readonly reason: Verdict["reason"];
      readonly seen: { readonly fact: string; readonly hint: string | null };
    };

/** `cancelled`: it says that it consumes nothing; `stalled`: it says that it consumes the queue, and does not fetch. */
type NotFetching = { readonly how: "cancelled"; readonly node: string } | { readonly how: "stalled" };

export interface FleetQueue {
  readonly queue: string;
  /** Messages that wait, of all priorities; null: not told. */
  readonly length: number | null;
  /** Lengths at the last looks, oldest first. */
  readonly trend: readonly number[];
  /** Healthy nodes that consume it. */
  readonly consumers: number;
  /** Slots of these nodes, and tasks that they run. */
  readonly slots: number | null;
  readonly active: number | null;
  /** Since when it has never been seen empty; null: it is empty. */
  readonly nonemptySinceS: number | null;
}
