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
  /** How many pongs one ping brought from this name: more than one where workers share it. */
  readonly copies: number;
}

/** What a run saw, without a judgement. */
export interface Evidence {
  readonly asking: Asking;
  /** One for each node that was asked by name; empty where everybody was asked. */
  readonly nodes: readonly NodeEvidence[];
  /** Seconds since the broker was started; null where it was not asked or does not say. */
  readonly brokerUpS: number | null;
  /** Seconds since Sentinels have made it the master; null where none was asked. */
  readonly masterForS: number | null;
  /** What the host name of its URL was found to be; null: the URL has no host name, or nobody had to look. */
  readonly brokerName: BrokerName | null;
  /** Deliveries on this database that no worker has acknowledged, of all workers; null where not asked. */
  readonly unacked: number | null;
  /** Without subscribers: the control exchange that an asked node is bound to instead; null if none is seen. */
  readonly otherExchange: string | null;
  /** The evidence for the options about queues and tasks; null without such options. */
  readonly work: WorkEvidence | null;
  /** Why the state file could not be written, in the system's words. */
  readonly stateFileProblem: string | null;
  /** Why what a `serve` has shared was not taken for an answer; null: it was, or nobody looked. */
  readonly notTaken: NotTaken | null;
}

/** That a node was alive, by a `serve` that has shared it. */
export interface SharedLife {
  readonly node: string;
  /** Seconds since it was heard or answered, by the broker's clock. */
  readonly ageS: number;
  /** Where that `serve` runs, and its version. */
  readonly host: string;
  readonly version: string;
}

export type NotTaken =
  /** Its process is not seen to run here, so it has to be looked at. */
  | { readonly because: "process"; readonly node: string }
  | { readonly because: "missing" | "damaged"; readonly node: string; readonly key: string }
  | { readonly because: "old"; readonly node: string; readonly ageS: number }
  /** Something was said of a process that had its name before. */
  | { readonly because: "earlier-process"; readonly node: string; readonly ageS: number }
  /** Only `alive` is taken: of all else the check sees more itself. */
  | { readonly because: "not-alive"; readonly node: string; readonly reason: string; readonly host: string }
  /** The broker does not let us read it, or not in a usable form. */
  | { readonly because: "refused"; readonly detail: string };

/** The host name of a broker's URL. */
export interface BrokerName {
  readonly name: string;
  readonly port: number;
  /** All that it has led to in this run. */
  readonly addresses: readonly string[];
  /** Whether it has led to different ones. */
  readonly changes: boolean;
  /** Whether the worker itself uses this name. */
  readonly isWorkersOwn: boolean;
  /**
   * The server that it led to when the worker connected. `left`: all workers there connected before all workers of
   * the server that it leads to now. `shared`: it leads to both by turns. `unknown`: the server does not tell. `unasked`:
   * not asked yet.
   */
  readonly old: "left" | "shared" | "unknown" | "unasked";
}

/** How far the conversation with the broker came. */
export type Asking =
  /** The broker could not be talked to, or refused. `pings` counts what had been published by then. */
  | { readonly kind: "broker-failed"; readonly failure: BrokerFailure; readonly pings: number }
  /** The worker was asked. */
  | {
      readonly kind: "asked";
      readonly pings: number;
      /** Where, and by which channel. */
      readonly via: Via;
      /** Connections subscribed to the control channel at the last ping, on this server; a beat may be one. */
      readonly subscribers: number;
      readonly pongs: readonly Pong[];
      /** Milliseconds since the first ping. */
      readonly waitedMs: number;
      /** Whether the full time was waited for every ping. Without subscribers the probe does not wait. */
      readonly over: boolean;
      /** Whether the deadline took time from the waiting. */
      readonly cutShort: boolean;
    }
  /** Nobody was asked: a `serve` has shared that all are alive. */
  | { readonly kind: "shared"; readonly via: Via; readonly lives: readonly SharedLife[] }
  /** The deadline was over before a ping could be published. */
  | { readonly kind: "no-time" }
  /** The process was told to end. */
  | { readonly kind: "interrupted"; readonly signal: string }
  /** An error of ours ended the run. */
  | { readonly kind: "crashed"; readonly detail: string };

/** The server that was talked to. */
export interface Via {
  /** Its address, or the path of its socket. */
  readonly server: string;
  readonly db: number;
  /** Whether TLS was spoken, and whether the certificate was verified. */
  readonly tls: "none" | "not-verified" | "verified";
  /** The control channel that has subscribers; the usual one where none has. */
  readonly channel: string;
}

/** What was seen of one node that was asked. */
export interface NodeEvidence {
  readonly node: string;
  /** What it is called instead where it is Celery 5.7 or later; null: the same. */
  readonly laterNode: string | null;
  readonly process: ProcessSight;
  /** In the order of time; empty as long as nobody had to look. */
  readonly looks: readonly Look[];
  readonly heartbeats: Hearing;
  /** Messages in the queues that it was told to consume, where nothing but them shows that it should; null: not asked. */
  readonly waiting: number | null;
  /** Since when, by the state file, the node has been silent, in seconds before now; null where there is no file. */
  readonly silentSinceS: number | null;
}

/** Whether the node's main process is in sight. */
export type ProcessSight =
  /** It answered before anybody had to look. */
  | { readonly kind: "unexamined" }
  | { readonly kind: "out-of-sight"; readonly because: "remote" | "beside" | "no-proc" }
  | {
      readonly kind: "none";
      /** A dead process that nobody has reaped. */
      readonly zombie: number | null;
      /** Workers of other names that are here. */
      readonly others: readonly string[];
      /** Whether another of the nodes asked was found here, so that the names asked are in use. */
      readonly namesInUse: boolean;
      /** Who may be it, the likeliest: nothing shows whether it is. */
      readonly suspect: Sighted | null;
      /** What runs here instead and has a check of its own. */
      readonly instead: Instead | null;
    }
  | {
      readonly kind: "seen";
      readonly pid: number;
      /** With the number it names the process for good. */
      readonly startTicks: number;
      readonly foundBy: "command" | "title" | "pidfile" | "connections";
      readonly words: string;
      readonly pool: string | null;
      /** How many tasks it may run at once, by `-c` or its children; null where neither shows it. */
      readonly slots: number | null;
      /** Whether it subscribes to the gossip of others, which it does unless its command line says otherwise. */
      readonly gossips: boolean;
      /** Whether it sends heartbeats, in the same way. */
      readonly beats: boolean;
      /** How long it may be silent, in milliseconds. */
      readonly graceMs: number;
    };

/** One look at a worker. */
export interface Look {
  /** Milliseconds since the process of ours started. */
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
      /** The name under which a process with the number of ours beats, where it is not the one asked. */
      readonly namesake: string | null;
    };

/** Heartbeats of the node asked. */
export interface Beats {
  readonly count: number;
  /** Running tasks by the last one; null where it does not say. */
  readonly active: number | null;
  /** Tasks begun since the worker started. */
  readonly processed: number | null;
  /** Whether at least two have been heard without a running task, and no task was begun between them. */
  readonly isIdle: boolean;
  /** Of Celery. */
  readonly version: string | null;
  /** What the channel shows of the worker's settings. */
  readonly whence: Whence;
}
