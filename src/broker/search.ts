import type { Outcome } from "../outcome.ts";
import type { Channel, Ends } from "./channel.ts";
import type { BrokerFailure } from "./failure.ts";
import type { BrokerTarget } from "./url.ts";

/** A server that a connection is open to. */
export interface Found {
  readonly channel: Channel;
  readonly target: BrokerTarget;
  /** Its place for people: without our passwords, which a false Sentinel may give as an address. */
  readonly shown: string;
  /** For how many seconds Sentinels have known it as the master; null if no Sentinel was asked. */
  readonly masterForS: number | null;
}

/** What the search needs of the machine. Times in milliseconds. */
export interface Search {
  readonly connect: (target: BrokerTarget, withinMs: number) => Promise<Outcome<Channel, BrokerFailure>>;
  readonly now: () => number;
  readonly pause: (ms: number) => Promise<void>;
  /** How long one server may take to connect, and to answer. */
  readonly connectMs: number;
  /** What is left of the run. */
  readonly leftMs: () => number;
  /** Whether the worker in sight is connected there; only asked where there is a choice. */
  readonly isTheWorkers: (remote: Ends["remote"]) => Promise<boolean>;
}
