import type { BrokerFailure } from "../broker/failure.ts";
import type { Whence } from "../broker/keys.ts";
import type { Sighted } from "../discovery/suspect.ts";
import type { Connections } from "../worker/connections.ts";
import type { ProcessLook } from "../worker/process.ts";
import type { Instead } from "../worker/survey.ts";
import type { WorkEvidence } from "./work-evidence.ts";

/** A node that answered our ping. */
export interface Pong {
  readonly node: string;
  /** Milliseconds from the ping to the moment its pong was seen. */
  readonly afterMs: number;
  /** How many pongs with this name one ping brought. It is more than one if workers share the name. */
  readonly copies: number;
}

/** What a run saw, before any judgement. */
export interface Evidence {
  readonly asking: Asking;
  /** One entry for each node that was asked by name. Empty if all workers were asked. */
  readonly nodes: readonly NodeEvidence[];
  /** Seconds since the broker started; null: it was not asked or does not say. */
  readonly brokerUpS: number | null;
  /** Seconds since Sentinels made it the master; null: no Sentinel was asked. */
  readonly masterForS: number | null;
  /** The addresses of the URL's host name; null: the URL has no host name, or the name did not have to be looked up. */
  readonly brokerName: BrokerName | null;
  /** Deliveries on this database that no worker has acknowledged, from all workers; null: not asked. */
  readonly unacked: number | null;
  /** If there are no subscribers: another control exchange that an asked node is bound to; null: none was seen. */
  readonly otherExchange: string | null;
  /** The evidence for the options about queues and tasks; null without such options. */
  readonly work: WorkEvidence | null;
  /** Why the state file could not be written, in the system's words. */
  readonly stateFileProblem: string | null;
  /** Why the shared verdict of a `serve` was not accepted as an answer; null: it was accepted, or none was read. */
  readonly notTaken: NotTaken | null;
}

/** A `serve` has shared that a node was alive. */
export interface SharedLife {
  readonly node: string;
  /** Seconds since the node was heard or answered, by the broker's clock. */
  readonly ageS: number;
  /** The host that this `serve` runs on, and its version. */
  readonly host: string;
  readonly version: string;
}

export type NotTaken =
  /** The node's process is not seen to run here, so it has to be examined. */
  | { readonly because: "process"; readonly node: string }
  | { readonly because: "missing" | "damaged"; readonly node: string; readonly key: string }
  | { readonly because: "old"; readonly node: string; readonly ageS: number }
  /** The shared verdict is about an earlier process with the same name. */
  | { readonly because: "earlier-process"; readonly node: string; readonly ageS: number }
  /** Only `alive` is accepted. The check itself can find out more about every other verdict. */
  | { readonly because: "not-alive"; readonly node: string; readonly reason: string; readonly host: string }
  /** The broker does not let us read it, or it has no usable form. */
  | { readonly because: "refused"; readonly detail: string };

/** The host name of a broker's URL. */
export interface BrokerName {
  readonly name: string;
  readonly port: number;
  /** All addresses that it has led to in this run. */
  readonly addresses: readonly string[];
  /** Whether its addresses changed during this run. */
  readonly changes: boolean;
  /** Whether the worker itself uses this name. */
  readonly isWorkersOwn: boolean;
  /**
   * The server that it led to when the worker connected.
   *
   * - `left`: all workers there connected before all workers of the server that it leads to now.
   * - `shared`: the name leads to both by turns.
   * - `unknown`: the server does not say.
   * - `unasked`: the server has not been asked yet.
   */
  readonly old: "left" | "shared" | "unknown" | "unasked";
}

/** How far the conversation with the broker got. */
export type Asking =
  /** The broker did not answer, or it refused. `pings` counts the pings that had been published by then. */
  | { readonly kind: "broker-failed"; readonly failure: BrokerFailure; readonly pings: number }
  /** The worker was asked. */
  | {
      readonly kind: "asked";
      readonly pings: number;
      /** The server and the channel. */
      readonly via: Via;
      /**
       * Connections to this server that were subscribed to the control channel at the last ping. One of them may be a
       * beat.
       */
      readonly subscribers: number;
      readonly pongs: readonly Pong[];
      /** Milliseconds since the first ping. */
      readonly waitedMs: number;
      /** Whether we waited the full time for every ping. Without subscribers the probe does not wait. */
      readonly over: boolean;
      /** Whether the deadline shortened the wait. */
      readonly cutShort: boolean;
    }
  /** No node was asked, because a `serve` has shared that all are alive. */
  | { readonly kind: "shared"; readonly via: Via; readonly lives: readonly SharedLife[] }
  /** The deadline was over before a ping could be published. */
  | { readonly kind: "no-time" }
  /** A signal told the probe to end. */
  | { readonly kind: "interrupted"; readonly signal: string }
  /** A bug of ours ended the run. */
  | { readonly kind: "crashed"; readonly detail: string };

/** The server that we talked to. */
export interface Via {
  /** Its address, or the path of its socket. */
  readonly server: string;
  readonly db: number;
  /** Whether the connection used TLS, and whether the certificate was verified. */
  readonly tls: "none" | "not-verified" | "verified";
  /** The control channel that has subscribers. If none has, it is the usual channel. */
  readonly channel: string;
}

/** What was seen of one node that was asked. */
export interface NodeEvidence {
  readonly node: string;
  /** The node's name if it runs Celery 5.7 or later; null: the same name. */
  readonly laterNode: string | null;
  readonly process: ProcessSight;
  /** In order of time. Empty if the node did not have to be examined. */
  readonly looks: readonly Look[];
  readonly heartbeats: Hearing;
  /**
   * Messages in the queues that the worker was told to consume. They are counted only if nothing else shows that it
   * should fetch; null: not asked.
   */
  readonly waiting: number | null;
  /** How many seconds ago the silence of the node began, by the state file; null: there is no file. */
  readonly silentSinceS: number | null;
}

/** Whether the node's main process is in sight. */
export type ProcessSight =
  /** The node answered before its process had to be examined. */
  | { readonly kind: "unexamined" }
  | { readonly kind: "out-of-sight"; readonly because: "remote" | "beside" | "no-proc" }
  | {
      readonly kind: "none";
      /** A dead process that its parent has not reaped. */
      readonly zombie: number | null;
      /** Workers with other names that are here. */
      readonly others: readonly string[];
      /** Whether another of the asked nodes was found here. This shows that the asked names are in use. */
      readonly namesInUse: boolean;
      /** The process that is most likely the node, although nothing proves or excludes it. */
      readonly suspect: Sighted | null;
      /** Another program of Celery's runs here instead, which has its own check. */
      readonly instead: Instead | null;
    }
  | {
      readonly kind: "seen";
      readonly pid: number;
      /** Together with `pid`, it identifies the process for good. */
      readonly startTicks: number;
      readonly foundBy: "command" | "title" | "pidfile" | "connections";
      readonly words: string;
      readonly pool: string | null;
      /** How many tasks it may run at once, by `-c` or by its children; null: neither shows it. */
      readonly slots: number | null;
      /** Whether it subscribes to the gossip of other workers. It does, unless its command line switches gossip off. */
      readonly gossips: boolean;
      /** Whether it sends heartbeats. It does, unless its command line switches them off. */
      readonly beats: boolean;
      /** How long it may be silent, in milliseconds. */
      readonly graceMs: number;
    };

/** One look at a worker. */
export interface Look {
  /** Milliseconds since the probe's process started. */
  readonly atMs: number;
  /** null: the process has gone. */
  readonly process: ProcessLook | null;
  /** null: the broker could not be asked in this look. */
  readonly connections: Connections | null;
}

/** What was heard of a node's heartbeats. */
export type Hearing =
  | { readonly kind: "not-listened" }
  /** The broker does not let us subscribe. */
  | { readonly kind: "refused" }
  | {
      readonly kind: "listened";
      readonly forMs: number;
      readonly own: Beats | null;
      /** A heartbeat has the number of this process but another node name than the asked one. This is that name. */
      readonly namesake: string | null;
    };

/** Heartbeats of the asked node. */
export interface Beats {
  readonly count: number;
  /** Running tasks according to the last heartbeat; null: it does not say. */
  readonly active: number | null;
  /** Tasks that have begun since the worker started. */
  readonly processed: number | null;
  /** Whether we heard at least two heartbeats without a running task, and no task began between them. */
  readonly isIdle: boolean;
  /** The version of Celery. */
  readonly version: string | null;
  /** What the channel shows about the worker's settings. */
  readonly whence: Whence;
}
