import type { Outcome } from "../outcome.ts";
import type { Channel, Ends } from "./channel.ts";
import type { BrokerFailure } from "./failure.ts";
import type { BrokerTarget } from "./url.ts";

/** A server with an open connection. */
export interface Found {
  readonly channel: Channel;
  readonly target: BrokerTarget;
  /** Its place, for people. Our passwords are masked, because a false Sentinel may give one as an address. */
  readonly shown: string;
  /** How many seconds Sentinels have known it as the master; null: no Sentinel was asked. */
  readonly masterForS: number | null;
}

/** What the search needs from the machine. Times are in milliseconds. */
export interface Search {
  readonly connect: (target: BrokerTarget, withinMs: number) => Promise<Outcome<Channel, BrokerFailure>>;
  readonly now: () => number;
  readonly pause: (ms: number) => Promise<void>;
  /** How long one server may take to connect, and to answer. */
  readonly connectMs: number;
  /** The time that is left for the run. */
  readonly leftMs: () => number;
  /** Whether the worker in sight is connected there. Called only if there is a choice. */
  readonly isTheWorkers: (remote: Ends["remote"]) => Promise<boolean>;
}
