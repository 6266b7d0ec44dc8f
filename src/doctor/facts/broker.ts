import type { BrokerFailure } from "../../broker/failure.ts";
import type { MovedName } from "../../discovery/moved-name.ts";
import type { Following, ServerMemory } from "../../broker/info.ts";

/** What was found out about the broker. */
export interface BrokerFacts {
  /** Whether the broker can be reached and used, and what named it. */
  readonly broker: {
    /** Passwords are masked. */
    readonly url: string;
    readonly from: string;
    /** Null: the broker answers. */
    readonly failure: BrokerFailure | null;
    /** Whether the broker answered at the beginning of the run. */
    readonly wasWell: boolean;
    /** Redis or Valkey, and its version. Null: INFO is refused. */
    readonly server: string | null;
    readonly upS: number | null;
    /** Null: the broker is no replica, or does not say so. */
    readonly follows: Following | null;
  };
  /** A name in a worker's variables leads to another address than the worker's connection. */
  readonly "broker-name": MovedName & { readonly broker: string };
  readonly "broker-memory": ServerMemory;
}
