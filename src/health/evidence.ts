import type { BrokerFailure } from "../broker/failure.ts";

/** A node that answered our ping. */
export interface Pong {
  readonly node: string;
  /** Milliseconds from the ping to the moment its pong was seen. */
  readonly afterMs: number;
  /** How many pongs one ping brought from this name: more than one where workers share it. */
  readonly copies: number;
}

/** What a run saw, without a judgement. Discriminated by how far it came. */
export type Evidence =
  /** The broker could not be talked to, or refused. `pings` counts what had been published by then. */
  | { readonly kind: "broker-failed"; readonly failure: BrokerFailure; readonly pings: number }
  /** The worker was asked. */
  | {
      readonly kind: "asked";
      readonly pings: number;
      /** Connections subscribed to the control channel at the last ping, on this server; a beat may be one. */
      readonly subscribers: number;
      readonly pongs: readonly Pong[];
      /** Milliseconds from the first ping to the end of the last wait. */
      readonly waitedMs: number;
      /** Whether the deadline took time from the waiting. */
      readonly cutShort: boolean;
    }
  /** The deadline was over before a ping could be published. */
  | { readonly kind: "no-time" }
  /** The process was told to end. */
  | { readonly kind: "interrupted"; readonly signal: string };
