import type { BrokerFailure } from "../../broker/failure.ts";
import type { MovedName } from "../../discovery/moved-name.ts";
import type { Following, ServerMemory } from "../../broker/info.ts";

/** What is found of the broker. */
export interface BrokerFacts {
  /** Whether it can be reached and used, and who named it. */
  readonly broker: {
    /** Masked. */
    readonly url: string;
    readonly from: string;
    /** null: it answers. */
    readonly failure: BrokerFailure | null;
    /** Whether it answered at the beginning of the run. */
    readonly wasWell: boolean;
    /** Redis or Valkey, and its version; null where INFO is refused. */
    readonly server: string | null;
    readonly upS: number | null;
    /** Null: it is no replica, or does not say so. */
    readonly follows: Following | null;
  };
  /** A name in a worker's variables leads elsewhere than the worker is connected to. */
  readonly "broker-name": MovedName & { readonly broker: string };
  readonly "broker-memory": ServerMemory;
}
