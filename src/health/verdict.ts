import type { Refused, Unreachable } from "../broker/failure.ts";
import type { Connections } from "../worker/connections.ts";
import type { Endpoint } from "../worker/sockets.ts";
import type { Instead } from "../worker/survey.ts";
import type { BrokerName, Pong, SharedLife } from "./evidence.ts";

/** The verdict on the worker. The words of `status` and `reason` are the contract with users. */
export type Verdict =
  | {
      readonly status: "healthy";
      readonly reason: "alive";
      readonly pongs: readonly Pong[];
      /** For nodes that were not asked. */
      readonly shared?: readonly SharedLife[];
    }
  | (About & { readonly status: "healthy" | "unhealthy"; readonly reason: "busy" } & Silence)
  | (About & { readonly status: "healthy" | "unhealthy"; readonly reason: "deaf" } & Deafness)
  | (About & { readonly status: "healthy"; readonly reason: "stopping" } & Silence)
  | (About & {
      readonly status: "healthy";
      readonly reason: "starting";
      readonly ageMs: number;
      readonly graceMs: number;
    })
  | (About & {
      readonly status: "unhealthy";
      readonly reason: "dead";
      /**
       * `remains`: the only process is a zombie that may have been the worker's; `zombie`: the worker's own process is
       * a zombie.
       */
      readonly how: "none" | "remains" | "zombie" | "ended";
      /** Another program of Celery's runs here instead, which has its own check. */
      readonly instead: Instead | null;
    })
  | (About & { readonly status: "unhealthy"; readonly reason: "stopped"; readonly how: "stopped" | "frozen" })
  | (About & {
      readonly status: "unhealthy";
      readonly reason: "disconnected";
      readonly ageMs: number;
      readonly brokerUpS: number;
      /** The broker's name has led elsewhere since the worker connected; null: the worker is not connected anywhere. */
      readonly moved: { readonly from: readonly Endpoint[]; readonly to: readonly string[] } | null;
    })
  | (About & {
      readonly status: "unhealthy";
      readonly reason: "hung";
      /** It was told to end. */
      readonly isStopping: boolean;
    } & Silence)
  | (About & {
      readonly status: "unhealthy";
      readonly reason: "catatonic";
      /** Running tasks by its heartbeat. The heartbeat goes on counting tasks whose end the worker has not noticed. */
      readonly active: number | null;
      /** Seconds since its last BRPOP; null: none of its connections is left. */
      readonly pausedS: number | null;
      /** Messages that wait in the queues of a worker without heartbeats; null: its heartbeats are heard. */
      readonly waiting: number | null;
    })
  | (About & { readonly status: "unhealthy"; readonly reason: "not-consuming" } & NotConsuming)
  | (About & {
      readonly status: "unhealthy";
      readonly reason: "stuck-task";
      readonly task: string;
      readonly id: string;
      readonly ageS: number;
      readonly limitMs: number;
    })
  | {
      readonly status: "unhealthy";
      readonly reason: "backlog";
      readonly queue: string;
      readonly length: number;
      readonly limit: number;
    }
  | { readonly status: "unknown"; readonly reason: "broker-unreachable"; readonly failure: Unreachable }
  | { readonly status: "unknown"; readonly reason: "broker-refused"; readonly failure: Refused }
  | { readonly status: "unknown"; readonly reason: "undecided"; readonly gap: Gap };

export type Reason = Verdict["reason"];

/** The worker that a verdict is about. */
export interface About {
  readonly node: string;
  /** null: its process is out of sight or gone. */
  readonly pid: number | null;
}

/** A main loop that does not turn. */
export interface Silence {
  /** The source of the silence's length: the worker's connections, the state file, or none. */
  readonly measured: "connections" | "state-file" | "not";
  /** Seconds; 0: not known. */
  readonly forS: number;
  readonly graceMs: number;
}

/** A main loop that turns without answering. */
export interface Deafness {
  /** What shows that it turns. */
  readonly shownBy: "polling" | "heartbeat" | "switches" | "events";
  /** Whether the control channel has a subscriber. */
  readonly subscribers: number;
  /** Running tasks by its heartbeat. */
  readonly active: number | null;
}

export interface NotConsuming {
  readonly queue: string;
  /**
   * `cancelled`: it does not consume that queue; `half-open`: it waits on a connection that no data comes through;
   * `no-work`: one of these two, or its pool begins no task.
   */
  readonly how: "cancelled" | "half-open" | "no-work";
  /** Messages that wait in the queue. */
  readonly length: number | null;
  /** Seconds since its last BRPOP. */
  readonly pausedS: number;
  /** Deliveries of the database that no worker has acknowledged. */
  readonly unacked: number;
}

/** What prevents a decision. */
export type Gap =
  /** We asked every node and waited. Fewer answered than required. */
  | {
      readonly kind: "too-few";
      readonly pongs: readonly Pong[];
      readonly wanted: number;
      readonly pings: number;
      readonly subscribers: number;
      readonly waitedMs: number;
      readonly cutShort: boolean;
    }
  /** Only the broker is in sight, and a node did not answer. */
  | (About & {
      readonly kind: "out-of-sight";
      readonly because: "remote" | "beside" | "no-proc";
      readonly subscribers: number;
      readonly heard: boolean;
      readonly listened: boolean;
    })
  /** Its heartbeats arrive, but we cannot see whether it fetches. */
  | (About & {
      readonly kind: "deaf-or-catatonic";
      /** `held`: it has stopped fetching, and may be full of tasks that wait for their time. */
      readonly because: Unseen | "held";
    })
  /** It has no connection to the broker. It had no time to make one yet. */
  | (About & { readonly kind: "reconnecting"; readonly brokerUpS: number | null })
  | (About & { readonly kind: "importing"; readonly ageMs: number })
  /** It is connected to another server. */
  | (About & {
      readonly kind: "elsewhere";
      readonly endpoints: readonly Endpoint[];
      readonly brokerName: BrokerName | null;
    })
  | (About & { readonly kind: "other-database"; readonly asked: number; readonly seen: readonly number[] })
  | (About & { readonly kind: "other-prefix"; readonly asked: string; readonly seen: string })
  | (About & { readonly kind: "other-fanout-prefix"; readonly asked: string; readonly seen: string })
  /** No worker here has the asked name. */
  | (About & { readonly kind: "misnamed"; readonly names: readonly string[] })
  /** A program here may be the worker. Nothing shows whether it is. */
  | (About & { readonly kind: "unrecognised"; readonly words: string })
  /** Its process runs, but its connections cannot be seen. */
  | (About & { readonly kind: "unseen"; readonly because: Unseen; readonly established: boolean | null })
  /** The deadline was over before enough had been seen. */
  | (About & { readonly kind: "unfinished"; readonly wanted: Want })
  | { readonly kind: "no-time" }
  | { readonly kind: "interrupted"; readonly signal: string }
  /** A bug of ours ended the run. */
  | { readonly kind: "crashed"; readonly detail: string };

/** Why nothing is known about a worker's connections; see `Connections` in worker/connections.ts. */
export type Unseen = Extract<Connections, { kind: "unknown" }>["because"];

/** What would decide if there were more time. */
export type Want = "pong" | "second-look" | "heartbeat";

/**
 * The reasons in order of their weight among several workers: unhealthy ones, unknown ones, healthy ones. `alive` is
 * last: it is given only for all workers together.
 */
export const REASONS = [
  "dead",
  "stopped",
  "disconnected",
  "hung",
  "catatonic",
  "not-consuming",
  "stuck-task",
  "backlog",
  "broker-unreachable",
  "broker-refused",
  "undecided",
  "busy",
  "deaf",
  "stopping",
  "starting",
  "alive",
] as const satisfies readonly Reason[];
